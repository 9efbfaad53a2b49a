"""Train a detector: an ensemble on all labelled sections, calibrated on patients it was not trained on."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import torch
from pydantic import BaseModel, ConfigDict, Field, field_validator

from spacrd_core.cohort.options import CohortOptions
from spacrd_core.cohort.preprocessing import Lens
from spacrd_core.cohort.section_data import SectionData
from spacrd_core.errors import TrainingError
from spacrd_core.metrics.classification import Metrics, measure
from spacrd_core.metrics.reliability import Reliability, reliability_by_platform
from spacrd_core.model.cross_validation import HeldOut, auc, calibrate_on, hold_out
from spacrd_core.model.ensemble import Ensemble
from spacrd_core.model.fit import Epoch, require_phases
from spacrd_core.model.options import HeadChoice
from spacrd_core.model.platt import Calibration
from spacrd_core.plugins import Registry

ALL = "all patients"


class TrainOptions(BaseModel):
    """How a detector is trained; ``head`` may be given by name alone."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    head: HeadChoice = Field(default_factory=HeadChoice)
    cohort: CohortOptions = Field(default_factory=CohortOptions)
    seeds: int = Field(3, ge=1, description="Members of the ensemble.")
    first_seed: int = Field(42, description="The members' seeds count up from here.")
    calibrate: bool = Field(
        default=True, description="Hold every patient out once, for probabilities and threshold; else AUC alone counts."
    )

    @field_validator("head", mode="before")
    @classmethod
    def _by_name(cls, head: object) -> object:
        return HeadChoice(name=head) if isinstance(head, str) else head

    def canonical(self, heads: Registry[Any]) -> Self:
        """Return the options with the one name under which the head is known, and its own options checked."""
        name = heads.canonical(self.head.name)
        heads.options(name, self.head.options)
        return self.model_copy(update={"head": self.head.model_copy(update={"name": name})})

    @property
    def seed_list(self) -> tuple[int, ...]:
        """The seed of every member."""
        return tuple(range(self.first_seed, self.first_seed + self.seeds))


@dataclass(frozen=True)
class Moment:
    """Something that happened in training: an epoch, or a held-out patient scored.

    ``stage`` is ``without <patient>`` or ``all patients``.
    """

    stage: str
    epoch: Epoch | None = None
    held_out_auc: float | None = None


@dataclass(frozen=True)
class Trained:
    """A trained ensemble, its calibration for every view, and the figures of held-out patients.

    Those of ``held_out`` are by section, those of ``reliability`` by platform.
    """

    ensemble: Ensemble
    calibrations: dict[str, Calibration]
    held_out: dict[str, Metrics]
    reliability: dict[str, Reliability]
    curve: tuple[Epoch, ...]


def train(
    sections: Sequence[SectionData],
    options: TrainOptions,
    *,
    heads: Registry[Any],
    device: torch.device,
    watch: Callable[[Moment], None] = lambda _: None,
) -> Trained:
    """Train on the labelled sections among these.

    Every patient is held out once; the logits of held-out patients give the calibration and the threshold. Then the
    ensemble is trained on all.

    Raises
    ------
    TrainingError
        If labels of both classes are missing, or some sections have nothing to read.
    ConfigError
        If a length is given for a phase that the head of all sections has not; that of a fold may have fewer.
    """
    sections = sorted(_learnable(sections), key=lambda section: section.id)
    _require_phases(sections, options, heads)
    curve: list[Epoch] = []

    def fit(some: Sequence[SectionData], stage: str) -> Ensemble:
        def tell(epoch: Epoch) -> None:
            watch(Moment(stage, epoch=epoch))
            curve.extend([epoch] if stage == ALL else [])

        choice, seeds = options.head, options.seed_list
        return Ensemble.train(
            some, choice=choice, options=options.cohort, seeds=seeds, heads=heads, device=device, watch=tell
        )

    held_out = []
    for patient, fold in hold_out(sections, fit) if options.calibrate else ():
        watch(Moment(f"without {patient}", held_out_auc=auc(fold)))
        held_out.extend(fold)
    ensemble = fit(sections, ALL)
    if ensemble.composition:
        told = [mixture for item in held_out for mixture in item.mixtures]
        composition = ensemble.composition.taught(told, [item.whole for item in held_out if item.whole])
        ensemble = replace(ensemble, composition=composition)
        held_out = [item.shifted(composition) for item in held_out]
    calibrations = _calibrations(held_out, ensemble, options)
    figures = {item.section.id: _figures(item, calibrations) for item in held_out}
    return Trained(ensemble, calibrations, figures, reliability_by_platform(held_out, calibrations), tuple(curve))


def _calibrations(held_out: Sequence[HeldOut], ensemble: Ensemble, options: TrainOptions) -> dict[str, Calibration]:
    if not options.calibrate:
        return {view: Calibration.none(view, "calibration was not asked for") for view in ensemble.views}
    return calibrate_on(held_out, ensemble.views, fuse=ensemble.reads_either)


def _figures(item: HeldOut, calibrations: Mapping[str, Calibration]) -> Metrics:
    calibration = calibrations[item.view]
    return measure(calibration.probabilities(item.logits[item.view]), item.labels, calibration.threshold)


def _require_phases(sections: Sequence[SectionData], options: TrainOptions, heads: Registry[Any]) -> None:
    if options.head.epochs:
        dims = Lens.fit(sections, options.cohort).dims
        require_phases(heads.create(options.head.name, options.head.options, dims=dims), options.head.epochs)


def _learnable(sections: Sequence[SectionData]) -> list[SectionData]:
    kept = [section for section in sections if section.classes]
    classes = {label for section in kept for label in section.classes}
    if classes != {0, 1}:
        found = {0: "only normal spots", 1: "only cancer spots"}.get(next(iter(classes), -1), "no labelled spot")
        raise TrainingError(
            f"cancer and normal spots are needed, found {found}", hint="spacrd ingest ... --labels FILE"
        )
    blind = [section.id for section in kept if section.expression is None and section.image is None]
    if blind:
        raise TrainingError(
            f"{', '.join(blind)} have neither genes nor an image to read",
            hint=f"ingest with --image FILE, or leave them out (--exclude {blind[0]})",
        )
    return kept
