"""``spacrd call``: sections in, their results out, in one command and without a store to keep."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from spacrd_cli.calling import CallSettings, call_sections
from spacrd_cli.commands.hub import report_origin
from spacrd_cli.commands.ingest import chosen_sections
from spacrd_cli.components import load_components
from spacrd_cli.options import ConfigFile, Device, DryRun, Executor, Json, Overrides, Quiet, Scheduler, Wide, Workers
from spacrd_cli.settings import option_check
from spacrd_cli.terminal.calls import calls_table
from spacrd_cli.terminal.dry_run import show_plan
from spacrd_cli.terminal.errors import failures, raise_failures
from spacrd_cli.terminal.ingested import report_notes
from spacrd_cli.terminal.output import Output
from spacrd_core.config import read_config
from spacrd_core.errors import ConfigError, InputError
from spacrd_core.ingestion.options import IngestConfig

if TYPE_CHECKING:
    from spacrd_core.ingestion.options import IngestOptions
    from spacrd_core.plugins import Plugins


class CallConfig(IngestConfig, CallSettings):
    """Settings of ``spacrd call``: those of ``ingest`` and of ``detect``."""


def call(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(metavar="PATH...", help="Give one path per section; the platform is detected."),
    ] = None,
    *,
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="DIR", help="Folder for the files.", show_default=False)
    ],
    detector: Annotated[
        str,
        typer.Option(
            metavar="DETECTOR",
            help=r"Folder of the detector, hf://owner/name\[@revision], or prior: built in, needs no labels.",
        ),
    ] = "prior",
    image: Annotated[Path | None, typer.Option(metavar="FILE", help="H&E image of the one PATH.")] = None,
    alignment: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Alignment of a Xenium H&E: 3x3 matrix or keypoints CSV.")
    ] = None,
    name: Annotated[str | None, typer.Option(metavar="ID", help="Section ID.", show_default="from the path")] = None,
    patient: Annotated[
        str | None,
        typer.Option(metavar="ID", help="Patient ID, the same for all PATHs.", show_default="the section ID"),
    ] = None,
    cohort: Annotated[
        Path | None, typer.Option(metavar="FILE.csv", help="Table with one row per section, instead of PATHs.")
    ] = None,
    reader: Annotated[
        str | None, typer.Option(metavar="NAME", help="Reader of the platform.", show_default="detected")
    ] = None,
    um_per_px: Annotated[
        float | None, typer.Option(metavar="X", help="um/px, if neither pitch nor metadata gives it.")
    ] = None,
    no_image: Annotated[bool | None, typer.Option("--no-image", help="Use genes only.")] = None,
    keep: Annotated[
        Path | None,
        typer.Option(metavar="STORE", help="Keep the sections in this spot store.", show_default="not kept"),
    ] = None,
    device: Device = None,
    executor: Executor = None,
    workers: Workers = None,
    scheduler: Scheduler = None,
    config: ConfigFile = None,
    set_: Overrides = None,
    dry_run: DryRun = False,
    json: Json = False,
    wide: Wide = False,
    quiet: Quiet = False,
) -> None:
    """Find the cancer in sections with one command: ingest, embed and detect, and write the files."""
    out = Output(json=json, quiet=quiet, wide=wide)
    plugins = load_components(out)
    flags = {
        "reader.name": reader,
        "patient": patient,
        "um_per_px": um_per_px,
        "no_image": no_image,
        "device": device,
        "executor": executor,
        "workers": workers,
        "scheduler": scheduler,
    }
    settings = read_config(CallConfig, config, set_ or (), flags, {"reader": option_check(plugins.readers)})
    shared = IngestConfig.model_validate(
        settings.model_dump(exclude_unset=True, include=set(IngestConfig.model_fields))
    )
    sections = chosen_sections(paths or [], cohort, shared, {"name": name, "image": image, "alignment": alignment})
    out.info(f"calling {len(sections)} section{'s' * (len(sections) != 1)} with {detector}")
    if settings.scheduler and not keep:
        raise ConfigError(
            "the workers of a scheduler need a store that all machines see", hint="--keep STORE, in a shared folder"
        )
    from spacrd_core.outputs import require_room, temporary_folder
    from spacrd_core.replacement import real
    from spacrd_core.results.ownership import require_results_folder
    from spacrd_core.staging import staging

    require_results_folder(output)
    if keep and real(keep) in (real(output), *real(output).parents):
        raise InputError(f"{output} is in the store {keep}", hint="name another folder for the results")
    if dry_run:
        folder = keep or temporary_folder() / "spacrd-scratch"
        _foresee(out, plugins, sections, settings, detector=detector, folder=folder, output=output)
        return
    require_room(output)
    with ExitStack() as stack:
        folder = keep or stack.enter_context(staging(temporary_folder())) / "store"
        _call(out, plugins, sections, settings, detector=detector, folder=folder, output=output, kept=bool(keep))


def _foresee(
    out: Output,
    plugins: Plugins,
    sections: list[IngestOptions],
    settings: CallConfig,
    *,
    detector: str,
    folder: Path,
    output: Path,
) -> None:
    """Show what would be called."""
    from spacrd_core import SpotStore, load_detector  # imports torch
    from spacrd_core.dry_run.call import plan_call
    from spacrd_core.dry_run.ingest import plan_ingest

    settings.decision_rule()
    loaded = load_detector(detector, lists=settings.prior.lists, device=settings.device, track=out.track)
    report_origin(out, loaded.source)
    store = SpotStore.create(folder)
    ingestion, foreseen, refused = plan_ingest(
        store, sections, plugins, executor=settings.make_executor(), track=out.track
    )
    if foreseen:
        plan = plan_call(
            store,
            ingestion,
            foreseen,
            loaded.config,
            output=output,
            device=settings.device,
            plugins=plugins,
            elsewhere=bool(settings.scheduler),
        )
        show_plan(out, plan, refused)
    raise_failures(refused, done=len(foreseen))


def _call(
    out: Output,
    plugins: Plugins,
    sections: list[IngestOptions],
    settings: CallConfig,
    *,
    detector: str,
    folder: Path,
    output: Path,
    kept: bool,
) -> None:
    settings.start_workers(*(f"spacrd_core.{room}.section_task" for room in ("ingestion", "detection", "results")))
    from spacrd_core import SpotStore, load_detector  # imports torch
    from spacrd_core.ingestion.ingest_all import ingest_all
    from spacrd_core.results.write import prepare_folder

    loaded = load_detector(detector, lists=settings.prior.lists, device=settings.device, track=out.track)
    report_origin(out, loaded.source)
    store = SpotStore.create(folder)
    ingested, refused = ingest_all(store, sections, plugins, executor=settings.make_executor(), track=out.track)
    report_notes(out, ingested, patients=kept)
    if not ingested:
        raise_failures(refused, done=0)
    names = [item.entry.id for item in ingested]
    prepare_folder(output, store, names, detector=loaded.config.key)
    called = call_sections(out, store, loaded, settings, output, sections=names)
    document = called.document(loaded, detector, output)
    document["failures"] = [*failures(refused), *document["failures"]]
    document["store"] = str(folder) if kept else None
    for item in ingested:
        if facts := document["sections"].get(item.entry.id):
            facts["notes"] = [*item.kept, *item.entry.notes, *item.warnings]
    out.result(document, calls_table(called.sections))
    raise_failures([*refused, *called.errors.values()], done=len(called.sections))
