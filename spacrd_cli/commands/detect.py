"""``spacrd detect``: apply a detector to sections."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from pydantic import Field

from spacrd_cli.commands.hub import report_origin
from spacrd_cli.execution import ExecutorSettings, PartSettings
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
    Workers,
)
from spacrd_cli.terminal.calls import call_warnings, calls_document, calls_table
from spacrd_cli.terminal.dry_run import show_plan
from spacrd_cli.terminal.errors import error_documents
from spacrd_cli.terminal.output import Output
from spacrd_core.config import CommandConfig, read_config
from spacrd_core.detection.bands import Bands
from spacrd_core.errors import DetectorError, UnknownSection
from spacrd_core.prior.lists import CARCINOMA

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from spacrd_core.detector.detector import Detector
    from spacrd_core.model.decision import DecisionRule
    from spacrd_core.store.manifest import SectionEntry
    from spacrd_core.store.store import SpotStore

RegionsRule = Literal["auto", "always", "never"]


class PriorLists(CommandConfig):
    """The gene lists of the built-in detector."""

    lists: str = Field(CARCINOMA, description="Gene lists of the built-in detector: 'carcinoma', or a TOML file.")


class CallSettings(ExecutorSettings):
    """Settings of every command that calls sections."""

    device: str = "auto"
    batch_size: int = Field(4096, ge=1)
    threshold: str | float = "own"
    alpha: float = Field(0.1, gt=0, lt=1)
    label_alpha: float = Field(0.3, gt=0, lt=1)
    regions: RegionsRule = "auto"
    bands: Bands = Field(default_factory=Bands)
    prior: PriorLists = Field(default_factory=PriorLists)

    def decision_rule(self) -> DecisionRule:
        """Return the rule by which spots are called."""
        from spacrd_core.model.decision import DecisionRule  # imports scikit-learn

        return DecisionRule.parse(self.threshold, alpha=self.alpha, label_alpha=self.label_alpha)


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
            metavar="N", help="Spots held dense at a time; limits memory, changes no result.", show_default="4096"
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
            help="Error level of the conformal sets: the share of spots whose set misses the true class.",
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
    quiet: Quiet = False,
) -> None:
    """Compute a calibrated cancer probability for every spot, and write files for other tools."""
    out = Output(json=json, quiet=quiet)
    flags: dict[str, object] = {"device": device, "batch_size": batch_size, "threshold": threshold}
    flags |= {"alpha": alpha, "label_alpha": label_alpha, "regions": regions, "part": part}
    flags |= {"executor": executor, "workers": workers, "scheduler": scheduler}
    settings = read_config(DetectConfig, config, set_ or (), flags)
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
        out.result({})
        out.info("this part contains no section")
        return
    if folder:
        from spacrd_core.results.write import prepare_folder

        prepare_folder(folder, target, sections, detector=loaded.config.key)
    called = call_sections(out, target, loaded, settings, folder, sections=sections)
    document: dict[str, object] = {name: calls_document(spots) for name, spots in called.tables.items()}
    failed = {name: {"errors": error_documents(error)} for name, error in called.errors.items()}
    out.result(document | failed, *([calls_table(called.tables)] if called.tables else []))
    if called.errors:
        raise _combined_error([*called.errors.values()], others=bool(called.tables))


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


@dataclass(frozen=True)
class Called:
    """The spot table of every called section, the errors of the others, and the files that were written."""

    tables: Mapping[str, pd.DataFrame]
    errors: dict[str, Exception]
    files: list[Path]


def call_sections(
    out: Output,
    store: SpotStore,
    detector: Detector,
    settings: CallSettings,
    output: Path | None,
    *,
    sections: Sequence[str],
) -> Called:
    """Call sections, report what to be careful about, and write the files if there is a folder for them."""
    from spacrd_core import detect as detect_in

    errors: dict[str, Exception] = {}
    tables = detect_in(
        store,
        detector,
        sections=sections,
        threshold=settings.threshold,
        alpha=settings.alpha,
        label_alpha=settings.label_alpha,
        bands=settings.bands,
        batch_size=settings.batch_size,
        device=settings.device,
        on_error=lambda name, error: errors.update({name: error}),
        executor=settings.make_executor(),
        in_memory=False,
        track=out.track,
    )
    for sentence in call_warnings(store, tables, detector.config):
        out.warn(sentence)
    files = _write(out, store, detector, settings, tables, output) if output and tables else []
    return Called(tables, errors, files)


def _write(
    out: Output,
    store: SpotStore,
    detector: Detector,
    settings: CallSettings,
    tables: Mapping[str, pd.DataFrame],
    folder: Path,
) -> list[Path]:
    """Write the files of all sections, and say which section lacks one; return their paths."""
    from spacrd_core import write_results
    from spacrd_core.results.files.xenium_groups import lacks_cell_table, missing_cells_note

    for name in (name for name in tables if lacks_cell_table(store, name)):
        out.warn(f"section '{name}': {missing_cells_note(name)}")
    files = write_results(
        store, detector, tables, folder, regions=settings.regions, executor=settings.make_executor(), track=out.track
    )
    out.info(f"written to {folder}: open {folder / 'report.html'} in a browser")
    return files


def _combined_error(errors: Sequence[Exception], *, others: bool) -> Exception:
    """Return one error for all sections that could not be called; ``others`` is whether there are others."""
    if len(errors) == 1 and not others:
        return errors[0]
    hints = dict.fromkeys(hint for error in errors if (hint := getattr(error, "hint", "")))
    called = ". The other sections were called" if others else ""
    return DetectorError(f"{'; '.join(dict.fromkeys(map(str, errors)))}{called}", hint="; ".join(hints))
