"""``spacrd train``: labelled sections into a detector."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from pydantic import Field

from spacrd_cli.options import (
    ConfigFile,
    Device,
    EncoderOrNone,
    Exclude,
    Json,
    NoGenes,
    Overrides,
    Quiet,
    Sections,
    Store,
)
from spacrd_cli.settings import HeadSettings, TrainingSettings
from spacrd_cli.terminal.output import Output, table
from spacrd_cli.terminal.training_view import training_view
from spacrd_core.config import read_config
from spacrd_core.errors import ConfigError
from spacrd_core.model.options import HeadChoice

if TYPE_CHECKING:
    from spacrd_core.detector.detector import Detector
    from spacrd_core.model.calibrated_ensemble import TrainOptions

COLUMNS = ("section", "spots", "cancer", "AUC", "AP", "F1", "Brier", "ECE")


class TrainConfig(TrainingSettings):
    """Settings of ``spacrd train``."""

    head: HeadSettings = Field(default_factory=HeadSettings)
    epochs: dict[str, int] = Field(default_factory=dict)
    seeds: int = Field(3, ge=1)

    def options(self) -> TrainOptions:
        """Return what the training takes."""
        head = HeadChoice(name=self.head.name, options=self.head.options, epochs=self.epochs)
        return self.training(head, seeds=self.seeds)


def train(
    store: Store,
    output: Annotated[Path, typer.Option("-o", "--output", metavar="DETECTOR", help="The folder to write.")],
    encoder: EncoderOrNone = None,
    no_genes: NoGenes = None,
    head: Annotated[str | None, typer.Option(metavar="NAME", help="The fusion head.", show_default="spacrd")] = None,
    preset: Annotated[str | None, typer.Option(metavar="default|paper", help="The head's preset.")] = None,
    section: Sections = None,
    exclude: Exclude = None,
    seeds: Annotated[int | None, typer.Option(metavar="N", help="Members of the ensemble.", show_default="3")] = None,
    epochs: Annotated[list[str] | None, typer.Option(metavar="PHASE=N", help="Length of a phase; repeatable.")] = None,
    device: Device = None,
    config: ConfigFile = None,
    set_: Overrides = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Train a detector on the labelled sections of a store."""
    out = Output(json=json, quiet=quiet)
    flags = {
        "encoder.name": encoder,
        "head.name": head,
        "head.preset": preset,
        "no_genes": no_genes,
        "seeds": seeds,
        "device": device,
        **phase_lengths(epochs or []),
    }
    settings = read_config(TrainConfig, config, set_ or (), flags)
    settings.require_a_modality()
    from spacrd_core import SpotStore  # torch arrives here, not sooner
    from spacrd_core import train as train_on
    from spacrd_core.detector.files import require_room

    require_room(output)
    target = SpotStore.open(store)
    patients = {entry.patient for entry in target.choose(section, exclude) if entry.labelled}
    folds = len(patients) if settings.calibrate and len(patients) > 1 else 0
    with training_view(out, stages=folds + 1) as watch:
        detector = train_on(
            target,
            settings.options(),
            encoder=settings.encoder.read,
            genes=not settings.no_genes,
            sections=section,
            exclude=exclude,
            device=settings.device,
            watch=watch,
            track=out.track,
        )
    detector.save(output)
    _show(out, detector, output)


def phase_lengths(entries: list[str]) -> dict[str, int]:
    """Return ``PHASE=N`` entries as settings."""
    lengths = {}
    for entry in entries:
        phase, _, number = entry.partition("=")
        if not phase or not number.isdigit():
            raise ConfigError(f"--epochs takes PHASE=N, not '{entry}'", hint="--epochs align=20")
        lengths[f"epochs.{phase}"] = int(number)
    return lengths


def _show(out: Output, detector: Detector, folder: Path) -> None:
    held_out = detector.metrics["held_out"]
    figures = ("spots", "positives", "auc", "ap", "f1", "brier", "ece")
    rows = [[section, *(row[figure] for figure in figures)] for section, row in held_out.items()]
    threshold = detector.config.calibration.threshold
    document = {"detector": str(folder), "key": detector.config.key, "threshold": threshold, "held_out": held_out}
    out.result(document, *([table(COLUMNS, rows, title="Patients held out in turn")] if rows else []))
    for view, calibration in detector.config.calibrations.items():
        if calibration.method == "none":
            out.warn(f"{view}: probabilities are not calibrated, the threshold is {calibration.threshold_rule}")
        elif view not in calibration.shares and len(calibration.shares) == 1:
            alone = next(iter(calibration.shares))
            out.warn(f"{view}: called by {alone} alone, for patients held out did not show that both are better")
    if detector.config.bound_by_licence:
        out.say(f"the encoder's licence ({detector.config.licence}) reaches this detector")
    out.say(f"detector {detector.config.key} is in {folder}; threshold {threshold:.2f}")
