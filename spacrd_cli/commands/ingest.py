"""``spacrd ingest``: read sections of any platform into the spot store."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from spacrd_cli.components import load_components
from spacrd_cli.execution import ExecutorSettings, PartSettings
from spacrd_cli.options import (
    ConfigFile,
    DryRun,
    Executor,
    Json,
    Overrides,
    PartOfSections,
    Quiet,
    Scheduler,
    Store,
    Wide,
    Workers,
)
from spacrd_cli.settings import option_check
from spacrd_cli.terminal.dry_run import show_plan
from spacrd_cli.terminal.errors import raise_failures
from spacrd_cli.terminal.ingested import failed_documents, ingested_document, ingested_table, report_notes
from spacrd_cli.terminal.output import Output
from spacrd_core.config import read_config
from spacrd_core.errors import ConfigError
from spacrd_core.ingestion.options import IngestConfig as SectionConfig
from spacrd_core.ingestion.options import IngestOptions

if TYPE_CHECKING:
    from spacrd_core.executors.pool import Executor as WorkExecutor
    from spacrd_core.plugins import Plugins
    from spacrd_core.store.store import SpotStore


class IngestConfig(SectionConfig, PartSettings, ExecutorSettings):
    """Settings of ``spacrd ingest``."""


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
            metavar="TEXT",
            help="Which section to read from a label table of several: a barcode suffix such as -2, or a sample name.",
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
    executor: Executor = None,
    workers: Workers = None,
    scheduler: Scheduler = None,
    part: PartOfSections = None,
    config: ConfigFile = None,
    set_: Overrides = None,
    dry_run: DryRun = False,
    json: Json = False,
    wide: Wide = False,
    quiet: Quiet = False,
) -> None:
    """Read sections of any platform into the spot store, in microns."""
    out = Output(json=json, quiet=quiet, wide=wide)
    plugins = load_components(out)
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
        "executor": executor,
        "workers": workers,
        "scheduler": scheduler,
        "part": part,
    }
    settings = read_config(IngestConfig, config, set_ or (), flags, {"reader": option_check(plugins.readers)})
    section_flags = {"name": name, "region": region, "labels": labels, "image": image, "alignment": alignment}
    given = chosen_sections(paths or [], cohort, settings, section_flags)
    out.info(f"reading {len(given)} section{'s' * (len(given) != 1)} into {store}")
    settings.start_workers("spacrd_core.ingestion.section_task")
    from spacrd_core.ingestion.ingest_all import ingest_all
    from spacrd_core.store.store import SpotStore

    target, chosen = SpotStore.create(store), settings.chosen_part.select(given)
    if dry_run:
        foresee(out, target, chosen, plugins, replace=replace, executor=settings.make_executor())
        return
    failed: list[dict[str, str]] = []
    ingested, errors = ingest_all(
        target,
        chosen,
        plugins,
        replace=replace,
        executor=settings.make_executor(),
        on_failure=lambda options, error: failed.extend(failed_documents(options, error)),
        track=out.track,
    )
    tables = [ingested_table(ingested)] if ingested else []
    sections = {item.entry.id: ingested_document(item) for item in ingested}
    out.result({"store": str(store), "sections": sections, "failures": failed}, *tables)
    if not ingested and not errors:
        out.info("this part contains no section")
    report_notes(out, ingested, more=f"spacrd store show {store} ID")
    raise_failures(errors, done=len(ingested))


def foresee(
    out: Output,
    store: SpotStore,
    sections: list[IngestOptions],
    plugins: Plugins,
    *,
    replace: bool,
    executor: WorkExecutor,
) -> None:
    """Show what would be ingested."""
    from spacrd_core.dry_run.ingest import plan_ingest

    plan, _, errors = plan_ingest(store, sections, plugins, replace=replace, executor=executor, track=out.track)
    show_plan(out, plan, errors)
    raise_failures(errors, done=len(plan.items))


def chosen_sections(
    paths: list[Path], cohort: Path | None, settings: SectionConfig, section_flags: dict[str, Any]
) -> list[IngestOptions]:
    """Return the options of every section, from the paths or from the cohort file."""
    if bool(paths) == bool(cohort):
        raise ConfigError("give either PATHs or --cohort FILE.csv", hint="spacrd ingest --help")
    shared = settings.model_dump(exclude_unset=True, include=set(SectionConfig.model_fields))
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
