"""``spacrd ingest``: read sections of any platform into the spot store."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from spacrd_cli.options import ConfigFile, Json, Overrides, Quiet, Store
from spacrd_cli.settings import option_check
from spacrd_cli.terminal.output import Output, table
from spacrd_core.config import read_config
from spacrd_core.errors import ConfigError
from spacrd_core.ingestion.options import IngestConfig, IngestOptions
from spacrd_core.plugins import load_plugins

if TYPE_CHECKING:
    from collections.abc import Iterable

    from spacrd_core.ingestion.ingest import Ingested
    from spacrd_core.store.manifest import SectionEntry

SECTION_COLUMNS = (
    *("section", "patient", "platform", "spots", "genes", "um/px", "pitch um"),
    *("labelled", "cancer", "image", "status", "notes"),
)
NOT_SHOWN = {"embeddings", "predictions", "identity", "geometry", "given", "label_notes"}


def ingest(
    store: Store,
    paths: Annotated[
        list[Path] | None,
        typer.Argument(metavar="PATH...", help="Give one path per section; the platform is detected."),
    ] = None,
    cohort: Annotated[
        Path | None, typer.Option(metavar="FILE.csv", help="Table with one row per section, instead of PATHs.")
    ] = None,
    reader: Annotated[
        str | None, typer.Option(metavar="NAME", help="Reader of the platform.", show_default="detected")
    ] = None,
    name: Annotated[str | None, typer.Option(metavar="ID", help="Section ID.", show_default="from the path")] = None,
    patient: Annotated[
        str | None,
        typer.Option(
            metavar="ID",
            help="Patient ID. Sections of one patient are never split between training and test.",
            show_default="the section ID",
        ),
    ] = None,
    region: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Outlines or a spot table; each named region becomes a section NAME.REGION.",
        ),
    ] = None,
    labels: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Spot labels: a table, polygons, a mask, or a 0/1 vector.")
    ] = None,
    positive: Annotated[
        list[str] | None, typer.Option(metavar="TEXT", help="Label text that means cancer; repeatable.")
    ] = None,
    ignore: Annotated[
        list[str] | None, typer.Option(metavar="TEXT", help="Label text that means unknown; repeatable.")
    ] = None,
    label_section: Annotated[
        str | None,
        typer.Option(
            metavar="TEXT", help="Section of a label table of several: -2 of an aggregated run, or a sample's name."
        ),
    ] = None,
    image: Annotated[
        Path | None, typer.Option(metavar="FILE", help="H&E image, if it is not part of the bundle.")
    ] = None,
    alignment: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Alignment of a Xenium H&E: 3x3 matrix or keypoints CSV.")
    ] = None,
    align: Annotated[
        str | None,
        typer.Option(metavar="auto", help="Align a Xenium H&E without an alignment by its nuclei; refused if unsure."),
    ] = None,
    image_scale: Annotated[float | None, typer.Option(metavar="X", help="Image px per full-resolution px.")] = None,
    um_per_px: Annotated[
        float | None, typer.Option(metavar="X", help="um/px, if neither pitch nor metadata gives it.")
    ] = None,
    mpp: Annotated[
        float | None, typer.Option(metavar="X", help="um/px of the stored slide.", show_default="0.5")
    ] = None,
    no_image: Annotated[bool | None, typer.Option("--no-image", help="Use genes only.")] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Replace an existing section of that ID.")] = False,
    config: ConfigFile = None,
    set_: Overrides = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Read sections of any platform into the spot store, in microns."""
    out, plugins = Output(json=json, quiet=quiet), load_plugins()
    flags = {
        "reader.name": reader,
        "patient": patient,
        "positive": positive,
        "ignore": ignore,
        "label_section": label_section,
        "align": align,
        "image_scale": image_scale,
        "um_per_px": um_per_px,
        "mpp": mpp,
        "no_image": no_image,
    }
    settings = read_config(IngestConfig, config, set_ or (), flags, {"reader": option_check(plugins.readers)})
    section_flags = {"name": name, "region": region, "labels": labels, "image": image, "alignment": alignment}
    sections = _sections(paths or [], cohort, settings, section_flags)
    from spacrd_core.ingestion.ingest import ingest_all
    from spacrd_core.store.store import SpotStore

    ingested, errors = ingest_all(SpotStore.create(store), sections, plugins, replace=replace, track=out.track)
    rows = [_row(item) for item in ingested]
    out.result([_document(item) for item in ingested], *([table(SECTION_COLUMNS, rows)] if rows else []))
    _report_notes(out, ingested)
    if errors:
        count = len(ingested) + len(errors)
        raise errors[0] if count == 1 else ExceptionGroup(f"{len(errors)} of {count} sections failed", errors)


def _sections(
    paths: list[Path], cohort: Path | None, settings: IngestConfig, section_flags: dict[str, Any]
) -> list[IngestOptions]:
    """Return the options of every section, from the paths or from the cohort file."""
    if bool(paths) == bool(cohort):
        raise ConfigError("give either PATHs or --cohort FILE.csv", hint="spacrd ingest --help")
    shared = settings.model_dump(exclude_unset=True)
    per_section = {key: value for key, value in section_flags.items() if value is not None}
    names = ", ".join(f"--{key}" for key in per_section)
    if cohort:
        from spacrd_core.ingestion.cohort_file import read_cohort

        if per_section:
            raise ConfigError(f"{names} cannot apply to a whole cohort", hint=f"add a column to {cohort}")
        return read_cohort(cohort, shared)
    if per_section and len(paths) > 1:
        raise ConfigError(
            f"{names} cannot apply to {len(paths)} sections", hint="ingest them one by one, or use --cohort"
        )
    return [IngestOptions(path=path, **shared, **per_section) for path in paths]


def _row(item: Ingested) -> list[object]:
    entry = item.entry
    counts = [entry.labelled or None, entry.cancer if entry.labelled else None]
    geometry = [round(entry.um_per_px, 4), entry.pitch_um]
    facts = [entry.id, entry.patient, entry.platform, entry.spots, entry.genes]
    return [*facts, *geometry, *counts, entry.slide is not None, item.status, len(entry.notes)]


def _document(item: Ingested) -> dict[str, object]:
    entry: SectionEntry = item.entry
    facts = entry.model_dump(mode="json", exclude=NOT_SHOWN)
    return {**facts, "status": item.status, "kept": list(item.kept), "warnings": list(item.warnings)}


def _report_notes(out: Output, ingested: list[Ingested]) -> None:
    """Report the checks, every note, what a replaced section has lost, and the sections without a patient ID."""
    shared = _shared_notes(ingested)
    for area, sentences in shared.items():
        _report(out, area, sentences)
    for item in ingested:
        notes = [note for note in item.entry.notes if note not in shared.get(item.part_of, ())]
        _report(out, item.entry.id, [_check_summary(item.entry), *item.kept, *notes])
        for sentence in item.warnings:
            out.warn(f"{item.entry.id}: {sentence}")
    without_patient = [item for item in ingested if not item.patient_given]
    if sections := [item.entry.id for item in without_patient if not item.part_of]:
        out.info(f"{', '.join(sections)}: no --patient was given, so each section counts as its own patient")
    if parts := [item.entry.id for item in without_patient if item.part_of]:
        out.info(f"{', '.join(parts)}: --region names no patient for them, so each part counts as its own patient")


def _report(out: Output, section: str, sentences: Iterable[str]) -> None:
    from spacrd_core.genes.known import UNKNOWN_GENES

    for sentence in sentences:
        say = out.warn if sentence.startswith(UNKNOWN_GENES) else out.info
        say(f"{section}: {sentence}")


def _shared_notes(ingested: list[Ingested]) -> dict[str, list[str]]:
    """Return the notes that all parts of a capture area have, by its name."""
    parts: dict[str, list[SectionEntry]] = {}
    for item in ingested:
        if item.part_of:
            parts.setdefault(item.part_of, []).append(item.entry)
    return {
        area: [note for note in entries[0].notes if all(note in entry.notes for entry in entries)]
        for area, entries in parts.items()
        if len(entries) > 1
    }


def _check_summary(entry: SectionEntry) -> str:
    checks = entry.checks
    fractions = (("inside_image", "of the spots inside the image"), ("on_tissue", "on tissue"))
    figures = [f"{fraction:.0%} {text}" for key, text in fractions if (fraction := checks.get(key)) is not None]
    counts = (
        ("empty_spots", "spots with zero counts"),
        ("shared_symbols", "symbols shared by several genes"),
        ("genes_with_ids", "genes with an Ensembl id"),
    )
    if entry.genes:
        figures += [f"{checks[key]:.0f} {text}" for key, text in counts if checks.get(key) is not None]
    return f"checked: {', '.join(figures)}"
