"""``spacrd train``: train a detector on labelled sections."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from pydantic import Field

from spacrd_cli.components import load_components
from spacrd_cli.execution import ExecutorSettings
from spacrd_cli.options import (
    ConfigFile,
    Device,
    DryRun,
    EncoderOrNone,
    Exclude,
    Executor,
    FoldsOption,
    HeadPrecision,
    Json,
    NoGenes,
    Overrides,
    Quiet,
    Scheduler,
    Sections,
    Store,
    Wide,
    Workers,
)
from spacrd_cli.settings import HeadSettings, TrainingSettings, option_check
from spacrd_cli.terminal.dry_run import show_plan
from spacrd_cli.terminal.output import Output
from spacrd_cli.terminal.tables import FittedTable
from spacrd_cli.terminal.training_view import telling_what_is_kept, training_view
from spacrd_core.config import read_config
from spacrd_core.errors import ConfigError
from spacrd_core.model.folds import fold_count
from spacrd_core.model.options import DEFAULT_HEAD, HeadOptions

if TYPE_CHECKING:
    from spacrd_core.detector.detector import Detector
    from spacrd_core.model.calibrated_ensemble import TrainOptions

HELD_OUT_COLUMNS = ("section", "spots", "cancer", "AUC", "AP", "F1", "Brier", "ECE")


class TrainConfig(TrainingSettings, ExecutorSettings):
    """Settings of ``spacrd train``."""

    head: HeadSettings = Field(default_factory=HeadSettings)
    epochs: dict[str, int] = Field(default_factory=dict)
    seeds: int = Field(3, ge=1)

    def options(self) -> TrainOptions:
        """Return the options of the training."""
        head = HeadOptions(name=self.head.name, options=self.head.options, epochs=self.epochs)
        return self.train_options(head, seeds=self.seeds)


def train(
    store: Store,
    output: Annotated[Path, typer.Option("-o", "--output", metavar="DETECTOR", help="Folder for the detector.")],
    encoder: EncoderOrNone = None,
    no_genes: NoGenes = None,
    head: Annotated[str | None, typer.Option(metavar="NAME", help="Fusion head.", show_default="spacrd")] = None,
    preset: Annotated[str | None, typer.Option(metavar="default|paper|paper-clean", help="Preset of the head.")] = None,
    section: Sections = None,
    exclude: Exclude = None,
    seeds: Annotated[
        int | None, typer.Option(metavar="N", help="Number of ensemble members.", show_default="3")
    ] = None,
    epochs: Annotated[
        list[str] | None, typer.Option(metavar="PHASE=N", help="Number of epochs of a phase; repeatable.")
    ] = None,
    folds: FoldsOption = None,
    replace: Annotated[bool, typer.Option("--replace", help="Replace the detector in that folder.")] = False,
    executor: Executor = None,
    workers: Workers = None,
    scheduler: Scheduler = None,
    device: Device = None,
    precision: HeadPrecision = None,
    config: ConfigFile = None,
    set_: Overrides = None,
    dry_run: DryRun = False,
    json: Json = False,
    wide: Wide = False,
    quiet: Quiet = False,
) -> None:
    """Train a detector on the labelled sections of a store."""
    out = Output(json=json, quiet=quiet, wide=wide)
    flags = {
        "encoder.name": encoder,
        "head.name": head,
        "head.preset": preset,
        "no_genes": no_genes,
        "seeds": seeds,
        "folds": folds,
        "device": device,
        "precision": precision,
        "executor": executor,
        "workers": workers,
        "scheduler": scheduler,
        **phase_lengths(epochs or []),
    }
    checks = {"head": option_check(load_components(out).heads, DEFAULT_HEAD)}
    settings = read_config(TrainConfig, config, set_ or (), flags, checks)
    settings.require_modality()
    out.info(f"training a detector on {store}")
    settings.start_workers("spacrd_core.detector.read_task", "spacrd_core.detector.fold_task")
    from spacrd_core import SpotStore  # imports torch
    from spacrd_core import train as train_on
    from spacrd_core.detector.files import detector_key, prepare_detector_folder, require_detector_folder
    from spacrd_core.detector.training_folder import training_folder

    target = SpotStore.open(store)
    require_detector_folder(output, replace=replace)
    if note := settings.precision_note:
        out.warn(note)
    shared: dict[str, Any] = {
        "encoder": settings.encoder.name_or_none,
        "genes": not settings.no_genes,
        "sections": section,
        "exclude": exclude,
        "device": settings.device,
        "track": out.track,
    }
    if dry_run:
        from spacrd_core.dry_run.train import plan_train

        elsewhere = bool(settings.scheduler)
        show_plan(out, plan_train(target, settings.options(), output=output, elsewhere=elsewhere, **shared))
        return
    prepare_detector_folder(output)
    present = detector_key(output)
    patients = {entry.patient for entry in target.choose(section, exclude) if entry.labelled}
    models = fold_count(len(patients), settings.folds) if settings.calibrate and len(patients) > 1 else 0
    executor_ = None if settings.executor == "serial" else settings.make_executor()
    with (
        training_view(out, stages=models + 1, on_workers=executor_ is not None) as show,
        telling_what_is_kept(out, show) as on_event,
    ):
        detector = train_on(
            target,
            settings.options(),
            executor=executor_,
            on_event=on_event,
            resume=training_folder(output),
            **shared,
        )
    replaced = detector.replace(output)
    if replaced and replaced not in {present, detector.config.key}:
        out.warn(f"another training wrote detector {replaced} to {output} meanwhile; this one is in its place now")
    _report(out, detector, output)


def phase_lengths(entries: list[str]) -> dict[str, int]:
    """Return ``PHASE=N`` entries as settings."""
    lengths = {}
    for entry in entries:
        phase, _, number = entry.partition("=")
        if not phase or not number.isdigit():
            raise ConfigError(f"--epochs takes PHASE=N, not '{entry}'", hint="--epochs align=20")
        lengths[f"epochs.{phase}"] = int(number)
    return lengths


def _report(out: Output, detector: Detector, folder: Path) -> None:
    from spacrd_core.detector.few_patients import few_labels_note, few_patients_note  # imports pandas

    held_out = detector.metrics["held_out"]
    metrics = ("spots", "positives", "auc", "ap", "f1", "brier", "ece")
    rows = [[section, *(row[metric] for metric in metrics)] for section, row in held_out.items()]
    threshold = detector.config.calibration.threshold
    document = {"detector": str(folder), "key": detector.config.key, "threshold": threshold, "held_out": held_out}
    out.result(document, *([FittedTable(HELD_OUT_COLUMNS, rows, title="Metrics on held-out patients")] if rows else []))
    for modalities, calibration in detector.config.calibrations.items():
        if calibration.method == "none":
            out.warn(f"{modalities}: probabilities are not calibrated, the threshold is {calibration.threshold_rule}")
        elif modalities not in calibration.weights and len(calibration.weights) == 1:
            only = next(iter(calibration.weights))
            out.note(
                f"{modalities}: calls use {only} alone, because held-out patients did not show that both are better"
            )
    for section, modality in detector.metrics["unread"].items():
        out.warn(
            f"the {modality} of section '{section}' shows no tissue and was not read: spots are unlike their neighbours"
        )
    if note := few_patients_note(detector.config, detector.metrics):
        out.warn(note)
    if note := few_labels_note(detector.config, detector.metrics):
        out.note(note)
    if detector.config.without_prior and detector.config.head == DEFAULT_HEAD:
        out.info(f"the detector does without the prior: {detector.config.without_prior}")
    if detector.config.restricted_by_licence:
        out.info(f"the encoder's licence ({detector.config.licence}) also covers this detector")
    out.info(f"detector {detector.config.key} is in {folder}; threshold {threshold:.2f}")
