"""``spacrd ingest``: sections of any platform into the spot store."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from pydantic import Field

from spacrd_cli.options import ConfigFile, Json, Overrides, Quiet, Store
from spacrd_cli.terminal.output import Output, table
from spacrd_core.config import CommandConfig, ComponentSettings, read_config
from spacrd_core.errors import ConfigError

if TYPE_CHECKING:
    from spacrd_core.ingestion.ingest import Ingested
    from spacrd_core.ingestion.options import IngestOptions
    from spacrd_core.store.manifest import SectionEntry

COLUMNS = (
    *("section", "patient", "platform", "spots", "genes", "um/px", "pitch um"),
    *("labelled", "cancer", "image", "status", "notes"),
)


class IngestConfig(CommandConfig):
    """Settings of ``spacrd ingest``."""

    reader: ComponentSettings = Field(default_factory=ComponentSettings)
    patient: str | None = None
    positive: list[str] | None = None
    ignore: list[str] | None = None
    image_scale: float | None = None
    um_per_px: float | None = None
    mpp: float | None = None
    no_image: bool | None = None


def ingest(
    store: Store,
    paths: Annotated[list[Path] | None, typer.Argument(metavar="PATH...", help="One section each.")] = None,
    cohort: Annotated[Path | None, typer.Option(metavar="FILE.csv", help="A row a section, instead of PATHs.")] = None,
    reader: Annotated[str | None, typer.Option(metavar="NAME", help="The platform, if not to be recognised.")] = None,
    name: Annotated[str | None, typer.Option(metavar="ID", help="Section id (default: from the path).")] = None,
    patient: Annotated[str | None, typer.Option(metavar="ID", help="The group that never straddles a split.")] = None,
    labels: Annotated[Path | None, typer.Option(metavar="FILE", help="Spot labels: a table or a 0/1 vector.")] = None,
    positive: Annotated[
        list[str] | None, typer.Option(metavar="TEXT", help="A label that is cancer; repeatable.")
    ] = None,
    ignore: Annotated[
        list[str] | None, typer.Option(metavar="TEXT", help="A label that is unknown; repeatable.")
    ] = None,
    image: Annotated[Path | None, typer.Option(metavar="FILE", help="H&E, when it is not in the bundle.")] = None,
    alignment: Annotated[Path | None, typer.Option(metavar="FILE", help="Xenium: 3x3 matrix or keypoints csv.")] = None,
    image_scale: Annotated[float | None, typer.Option(metavar="X", help="Image px per full-resolution px.")] = None,
    um_per_px: Annotated[
        float | None, typer.Option(metavar="X", help="When neither pitch nor metadata gives it.")
    ] = None,
    mpp: Annotated[
        float | None, typer.Option(metavar="X", help="um/px of the stored slide.", show_default="0.5")
    ] = None,
    no_image: Annotated[bool | None, typer.Option("--no-image", help="Genes only.")] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Supersede a section of that id.")] = False,
    config: ConfigFile = None,
    set_: Overrides = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Bring sections of any platform into the spot store, in microns."""
    from spacrd_core.ingestion.ingest import ingest_all
    from spacrd_core.plugins import load_plugins
    from spacrd_core.store.store import SpotStore

    out = Output(json=json, quiet=quiet)
    shared = {
        "patient": patient,
        "positive": positive,
        "ignore": ignore,
        "image_scale": image_scale,
        "um_per_px": um_per_px,
        "mpp": mpp,
        "no_image": no_image,
    }
    own = {"name": name, "labels": labels, "image": image, "alignment": alignment}
    settings = read_config(IngestConfig, config, set_ or (), {"reader.name": reader, **shared})
    sections = _sections(paths or [], cohort, settings, {key: value for key, value in own.items() if value is not None})
    requests = [section.request(settings.reader.options, replace=replace) for section in sections]
    done, failed = ingest_all(SpotStore.create(store), requests, load_plugins(), track=out.track)
    out.result([_document(item) for item in done], *([table(COLUMNS, map(_row, done))] if done else []))
    _remark(out, done)
    if failed:
        raise (
            failed[0]
            if len(requests) == 1
            else ExceptionGroup(f"{len(failed)} of {len(requests)} sections failed", failed)
        )


def _sections(
    paths: list[Path], cohort: Path | None, settings: IngestConfig, own: dict[str, Any]
) -> list[IngestOptions]:
    from spacrd_core.ingestion.cohort_file import read_cohort
    from spacrd_core.ingestion.options import IngestOptions

    if bool(paths) == bool(cohort):
        raise ConfigError("name sections as PATHs or by --cohort FILE.csv, one of the two", hint="spacrd ingest --help")
    shared = settings.model_dump(exclude={"reader"}, exclude_none=True)
    if settings.reader.name:
        shared["reader"] = settings.reader.name
    if cohort:
        if own:
            flags = ", ".join(f"--{key}" for key in own)
            raise ConfigError(f"{flags} cannot hold for a whole cohort", hint=f"make it a column of {cohort}")
        return read_cohort(cohort, shared)
    if own and len(paths) > 1:
        raise ConfigError(
            f"--{next(iter(own))} cannot hold for {len(paths)} sections", hint="ingest them one by one, or --cohort"
        )
    return [read_config(IngestOptions, flags={"path": path, **shared, **own}) for path in paths]


def _row(item: Ingested) -> list[object]:
    entry = item.entry
    counts = [entry.labelled or None, entry.cancer if entry.labelled else None]
    geometry = [round(entry.um_per_px, 4), entry.pitch_um]
    facts = [entry.id, entry.patient, entry.platform, entry.spots, entry.genes]
    return [*facts, *geometry, *counts, entry.slide is not None, item.status, len(entry.notes)]


def _document(item: Ingested) -> dict[str, object]:
    entry: SectionEntry = item.entry
    facts = entry.model_dump(mode="json", exclude={"embeddings", "predictions", "identity", "geometry"})
    return {**facts, "status": item.status}


def _remark(out: Output, done: list[Ingested]) -> None:
    """Say what was checked, every note, and which sections stand for themselves as a patient."""
    for item in done:
        for sentence in (_checked(item.entry), *item.entry.notes):
            out.say(f"{item.entry.id}: {sentence}")
    alone = [item.entry.id for item in done if not item.patient_given]
    if alone:
        out.say(f"{', '.join(alone)}: no --patient was given, so each counts as a patient of its own")


def _checked(entry: SectionEntry) -> str:
    checks = entry.checks
    shares = (("inside_image", "of the spots inside the image"), ("on_tissue", "on tissue"))
    figures = [f"{share:.0%} {text}" for key, text in shares if (share := checks.get(key)) is not None]
    counts = (
        ("empty_spots", "spots without a count"),
        ("shared_symbols", "symbols of several genes"),
        ("genes_with_ids", "genes with an Ensembl id"),
    )
    figures += [f"{checks[key]:.0f} {text}" for key, text in counts if checks.get(key) is not None]
    return f"checked: {', '.join(figures)}"
