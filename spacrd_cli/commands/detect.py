"""``spacrd detect``: apply a detector to sections."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from spacrd_cli.calling import Called, CallSettings, call_sections
from spacrd_cli.commands.hub import report_origin
from spacrd_cli.execution import PartSettings
from spacrd_cli.options import (
    ConfigFile,
    DetectorFolder,
    Device,
    DryRun,
    Exclude,
    Executor,
    Json,
    Overrides,
    PartOfSections,
    Quiet,
    Scheduler,
    Sections,
    Store,
    Wide,
    Workers,
)
from spacrd_cli.terminal.calls import calls_table
from spacrd_cli.terminal.dry_run import show_plan
from spacrd_cli.terminal.output import Output
from spacrd_core.config import read_config
from spacrd_core.errors import DetectorError, UnknownSection

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spacrd_core.detector.detector import Detector
    from spacrd_core.store.manifest import SectionEntry
    from spacrd_core.store.store import SpotStore


class DetectConfig(CallSettings, PartSettings):
    """Settings of ``spacrd detect``."""


def detect(
    store: Store,
    detector: DetectorFolder,
    output: Annotated[Path | None, typer.Option("-o", "--output", metavar="DIR", help="Folder for the files.")] = None,
    section: Sections = None,
    exclude: Exclude = None,
    device: Device = None,
    batch_size: Annotated[
        int | None,
        typer.Option(
            metavar="N", help="Spots processed at once; limits memory, does not change results.", show_default="4096"
        ),
    ] = None,
    threshold: Annotated[
        str | None,
        typer.Option(
            metavar="RULE",
            help="Decision threshold: own (the detector's), a probability, gmm, or prevalence=P.",
            show_default="own",
        ),
    ] = None,
    alpha: Annotated[
        float | None,
        typer.Option(
            metavar="A",
            help="Error level of the conformal sets: the intended share of spots whose set misses the true class.",
            show_default="0.1",
        ),
    ] = None,
    label_alpha: Annotated[
        float | None,
        typer.Option(
            metavar="A", help="Error level of the conformal sets that make a spot uncertain.", show_default="0.3"
        ),
    ] = None,
    regions: Annotated[
        str | None,
        typer.Option(
            metavar="auto|always|never",
            help="Draw cancer regions: auto leaves out sections whose calls cannot be relied on.",
            show_default="auto",
        ),
    ] = None,
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
    """Compute a calibrated cancer probability for every spot, and write files for other tools."""
    out = Output(json=json, quiet=quiet, wide=wide)
    flags: dict[str, object] = {"device": device, "batch_size": batch_size, "threshold": threshold}
    flags |= {"alpha": alpha, "label_alpha": label_alpha, "regions": regions, "part": part}
    flags |= {"executor": executor, "workers": workers, "scheduler": scheduler}
    settings = read_config(DetectConfig, config, set_ or (), flags)
    out.info(f"calling the sections of {store} with {detector}")
    settings.start_workers(
        "spacrd_core.detection.section_task", *(["spacrd_core.results.section_task"] if output else [])
    )
    from spacrd_core import SpotStore, load_detector  # imports torch

    target = SpotStore.open(store)
    if output:
        from spacrd_core.results.ownership import require_results_folder  # imports libraries that write files and draw

        require_results_folder(output)
    loaded = load_detector(detector, lists=settings.prior.lists, device=settings.device, track=out.track)
    report_origin(out, loaded.source)
    chosen = target.choose(section, exclude)
    if not chosen:
        raise UnknownSection(f"--exclude leaves no section of {store}", hint="drop an --exclude")
    entries = settings.chosen_part.select(chosen)
    sections = [entry.id for entry in entries]
    folder = output / settings.chosen_part.folder if output else None
    if dry_run:
        foresee_calls(out, target, loaded, settings, folder, entries=entries)
        return
    if not sections:
        out.result(Called({}, {}, []).document(loaded, detector, folder))
        out.info("this part contains no section")
        return
    if folder:
        from spacrd_core.results.write import prepare_folder

        prepare_folder(folder, target, sections, detector=loaded.config.key)
    called = call_sections(out, target, loaded, settings, folder, sections=sections)
    out.result(called.document(loaded, detector, folder), *([calls_table(called.sections)] if called.sections else []))
    if called.sections and not output:
        out.info(f"the calls are in {store}; no files were written: spacrd export, or -o DIR")
    if called.errors:
        raise _combined_error([*called.errors.values()], others=bool(called.sections))


def foresee_calls(
    out: Output,
    store: SpotStore,
    detector: Detector,
    settings: CallSettings,
    output: Path | None,
    *,
    entries: Sequence[SectionEntry],
) -> None:
    """Show what would be called."""
    from spacrd_core.dry_run.detect import plan_detect

    settings.decision_rule()
    plan, refused = plan_detect(
        store,
        detector.config,
        entries,
        output=output,
        device=settings.device,
        elsewhere=bool(settings.scheduler),
    )
    show_plan(out, plan, refused.values())
    if refused:
        raise _combined_error([*refused.values()], others=False)


def _combined_error(errors: Sequence[Exception], *, others: bool) -> Exception:
    """Return one error for all sections that could not be called; ``others`` is whether there are others."""
    if len(errors) == 1 and not others:
        return errors[0]
    hints = dict.fromkeys(hint for error in errors if (hint := getattr(error, "hint", "")))
    called = ". The other sections were called" if others else ""
    return DetectorError(f"{'; '.join(dict.fromkeys(map(str, errors)))}{called}", hint="; ".join(hints))
