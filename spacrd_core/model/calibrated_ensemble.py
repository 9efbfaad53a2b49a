"""Training of an ensemble on all labelled sections, calibrated on held-out patients."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Self

import torch
from pydantic import BaseModel, ConfigDict, Field, field_validator

from spacrd_core.cohort.few_labels import held_out_patients
from spacrd_core.cohort.options import CohortOptions
from spacrd_core.cohort.section_data import SectionData
from spacrd_core.metrics.classification import Metrics, measure
from spacrd_core.metrics.reliability import HeldOutSection, Reliability, reliability_by_platform
from spacrd_core.model.combination import part_names
from spacrd_core.model.computation import Computation
from spacrd_core.model.cross_validation import (
    OutOfFold,
    calibrate_combined,
    calibrate_folds,
    cross_validate,
    mean_auc,
    stage_without,
)
from spacrd_core.model.ensemble import Ensemble
from spacrd_core.model.fit import Epoch
from spacrd_core.model.folds import Folds, Groups, deal, fold_count
from spacrd_core.model.held_out_group import HeldOutGroup, can_be_held_out
from spacrd_core.model.options import HeadOptions
from spacrd_core.model.platt import Calibration
from spacrd_core.model.prior_benefit import prior_helps
from spacrd_core.model.training_clock import TrainingClock
from spacrd_core.model.training_set import TrainingSet
from spacrd_core.plugins import Registry
from spacrd_core.prior.options import PriorOptions

CrossValidation = Callable[
    [Sequence[SectionData], Groups, Callable[[Sequence[SectionData], str], Ensemble], PriorOptions | None],
    Iterator[HeldOutGroup],
]

ALL_PATIENTS = "all patients"


class TrainOptions(BaseModel):
    """Options of training a detector; ``head`` may be a name."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    head: HeadOptions = Field(default_factory=HeadOptions)
    cohort: CohortOptions = Field(default_factory=CohortOptions)
    prior: PriorOptions = Field(default_factory=PriorOptions)
    computation: Computation = Field(default_factory=Computation)
    seeds: int = Field(3, ge=1, description="Number of ensemble members.")
    first_seed: int = Field(42, description="Seed of the first member; the others count up from it.")
    calibrate: bool = Field(
        default=True,
        description="Hold out every patient once to fit probabilities and the threshold; without it, only the AUC is "
        "meaningful.",
    )
    folds: Folds | None = Field(
        default=None,
        description="Number of groups of patients to hold out; 'patients' holds out each alone. The default is each "
        "alone, and 8 groups with ten or more patients.",
    )

    @field_validator("head", mode="before")
    @classmethod
    def _by_name(cls, head: object) -> object:
        return HeadOptions(name=head) if isinstance(head, str) else head

    def canonical(self, heads: Registry[Any]) -> Self:
        """Return the options with the head's canonical name, after checking the head's own options."""
        name = heads.canonical(self.head.name)
        heads.options(name, self.head.options)
        return self.model_copy(update={"head": self.head.model_copy(update={"name": name})})

    @property
    def seed_list(self) -> tuple[int, ...]:
        """The seed of every member."""
        return tuple(range(self.first_seed, self.first_seed + self.seeds))

    def groups(self, sections: Sequence[SectionData]) -> Groups:
        """Return the groups of patients to hold out; they depend on the patients' names and the first seed only.

        A patient of few labelled spots is not held out (:mod:`spacrd_core.cohort.few_labels`).
        """
        names = held_out_patients(sections)
        return deal(names, fold_count(len(names), self.folds), seed=self.first_seed)


@dataclass(frozen=True)
class TrainingEvent:
    """An event in training: an epoch has ended, or a held-out group of patients has been scored.

    Attributes
    ----------
    stage
        ``without <patient>, ...`` or ``all patients``.
    models_done, models
        How many models are done, and how many there are: one per group, and the final one; 0 if that is not known.
    seconds_left
        Until the end of the training, if it goes on as before; None before anything is done.
    kept
        How many groups are kept from an interrupted training, if this is one of them; otherwise 0.
    """

    stage: str
    epoch: Epoch | None = None
    held_out_auc: float | None = None
    models_done: int = 0
    models: int = 0
    seconds_left: float | None = None
    kept: int = 0


@dataclass(frozen=True)
class CalibratedEnsemble:
    """A trained ensemble, its calibration for every set of modalities, and metrics on held-out patients.

    ``held_out`` is by section, ``reliability`` by platform; ``held_out_together`` are the groups of patients that were
    held out. ``prior`` tells how what a section says of itself is used; if it is None, ``without_prior`` says why.
    ``unread`` is the modality of a training section that was not read, by section.
    """

    ensemble: Ensemble
    calibrations: dict[str, Calibration]
    prior: PriorOptions | None
    without_prior: str
    unread: dict[str, str]
    held_out: dict[str, Metrics]
    held_out_together: Groups
    reliability: dict[str, Reliability]
    curve: tuple[Epoch, ...]


def train_calibrated(
    sections: Sequence[SectionData],
    options: TrainOptions,
    *,
    heads: Registry[Any],
    device: torch.device,
    on_event: Callable[[TrainingEvent], None] = lambda _: None,
    validate: CrossValidation = cross_validate,
) -> CalibratedEnsemble:
    """Train on the labelled sections among these.

    Every patient is held out once, alone or in a group, and the out-of-fold logits give the calibration and the
    threshold. Then the ensemble is trained on all patients. ``validate`` may hold the groups out on other workers, and
    end with them in any order.

    Raises
    ------
    TrainingError
        If labels of both classes are missing, or some sections have neither genes nor an image.
    ConfigError
        If epochs are given for a phase that the head does not have; the head of a fold may have fewer phases.
    """
    chosen = TrainingSet.select(sections, options, heads)
    sections, prior, without_prior = chosen.sections, chosen.prior, chosen.without_prior
    curve: list[Epoch] = []
    groups = options.groups(sections) if options.calibrate else ()
    clock = TrainingClock(sum(can_be_held_out(group, sections) for group in groups))

    def report(stage: str, share: float = 0.0, **facts: Any) -> None:
        left = clock.seconds_left(share)
        on_event(TrainingEvent(stage, models_done=clock.models_done, models=clock.models, seconds_left=left, **facts))

    def fit(training: Sequence[SectionData], stage: str) -> Ensemble:
        def record(epoch: Epoch) -> None:
            report(stage, epoch.done, epoch=epoch)
            curve.extend([epoch] if stage == ALL_PATIENTS else [])

        return Ensemble.train(
            training,
            head_options=options.head,
            options=options.cohort,
            seeds=options.seed_list,
            heads=heads,
            device=device,
            computation=options.computation,
            on_epoch=record,
            logits_only=stage != ALL_PATIENTS,
        )

    held_out: list[HeldOutGroup] = []
    for each in validate(sections, groups, fit, prior):
        clock.record(each)
        report(stage_without(each.group), held_out_auc=mean_auc(each.folds), kept=each.kept)
        held_out.append(each)
    folds = [fold for each in sorted(held_out, key=lambda each: each.group) for fold in each.folds]
    if prior and not prior_helps(folds):
        prior, without_prior = None, "on held-out patients, detection is worse with it"
    clock.begin_final()
    ensemble = fit(sections, ALL_PATIENTS)
    calibrations = _calibrations(folds, ensemble, options, prior)
    held_out_metrics, reliability = _measured(folds, calibrations, with_prior=prior is not None)
    return CalibratedEnsemble(
        ensemble=ensemble,
        calibrations=calibrations,
        prior=prior,
        without_prior=without_prior,
        unread=chosen.unread,
        held_out=held_out_metrics,
        held_out_together=groups,
        reliability=reliability,
        curve=tuple(curve),
    )


def _calibrations(
    folds: Sequence[OutOfFold], ensemble: Ensemble, options: TrainOptions, prior: PriorOptions | None
) -> dict[str, Calibration]:
    if not options.calibrate:
        reason = "calibration was switched off"
        return {name: Calibration.none(name, reason, part_names(name) if prior else ()) for name in ensemble.modalities}
    if prior:
        return calibrate_combined(folds, ensemble.modalities)
    return calibrate_folds(folds, ensemble.modalities, fuse=ensemble.scores_modalities_separately)


def _measured(
    folds: Sequence[OutOfFold], calibrations: dict[str, Calibration], *, with_prior: bool
) -> tuple[dict[str, Metrics], dict[str, Reliability]]:
    """Return the metrics of held-out sections by their id, and the reliability by platform."""
    scored = [(fold, fold.probabilities(calibrations, with_prior=with_prior)) for fold in folds]
    metrics = {
        fold.section.id: measure(probabilities, fold.labels, calibrations[fold.modalities].threshold)
        for fold, probabilities in scored
    }
    sections = [
        HeldOutSection(fold.section.platform, fold.section.patient, probabilities, fold.labels)
        for fold, probabilities in scored
    ]
    return metrics, reliability_by_platform(sections)
