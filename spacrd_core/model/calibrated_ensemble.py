"""Training of an ensemble on all labelled sections, calibrated on held-out patients."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Self

import torch
from pydantic import BaseModel, ConfigDict, Field, field_validator

from spacrd_core.cohort.batch import Dims
from spacrd_core.cohort.options import CohortOptions
from spacrd_core.cohort.preprocessing import Preprocessor
from spacrd_core.cohort.section_data import SectionData, with_modalities
from spacrd_core.errors import TrainingError
from spacrd_core.metrics.classification import Metrics, measure
from spacrd_core.metrics.reliability import HeldOutSection, Reliability, reliability_by_platform
from spacrd_core.model.combination import part_names, trusted_modalities
from spacrd_core.model.cross_validation import (
    OutOfFold,
    calibrate_combined,
    calibrate_folds,
    cross_validate,
    mean_auc,
    prior_helps,
)
from spacrd_core.model.ensemble import Ensemble
from spacrd_core.model.fit import Epoch, require_phases
from spacrd_core.model.options import HeadOptions
from spacrd_core.model.platt import Calibration
from spacrd_core.plugins import Registry
from spacrd_core.prior.options import PriorOptions

CrossValidation = Callable[
    [Sequence[SectionData], Callable[[Sequence[SectionData], str], Ensemble], PriorOptions | None],
    Iterator[tuple[str, list[OutOfFold]]],
]

ALL_PATIENTS = "all patients"
ANY_DIMS = Dims(genes=8, image=8)  # what a head uses does not depend on them


class TrainOptions(BaseModel):
    """Options of training a detector; ``head`` may be a name."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    head: HeadOptions = Field(default_factory=HeadOptions)
    cohort: CohortOptions = Field(default_factory=CohortOptions)
    prior: PriorOptions = Field(default_factory=PriorOptions)
    seeds: int = Field(3, ge=1, description="Number of ensemble members.")
    first_seed: int = Field(42, description="Seed of the first member; the others count up from it.")
    calibrate: bool = Field(
        default=True,
        description="Hold out every patient once to fit probabilities and the threshold; without it, only the AUC is "
        "meaningful.",
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


@dataclass(frozen=True)
class TrainingEvent:
    """An event in training: an epoch has ended, or a held-out patient has been scored.

    ``stage`` is ``without <patient>`` or ``all patients``.
    """

    stage: str
    epoch: Epoch | None = None
    held_out_auc: float | None = None


@dataclass(frozen=True)
class CalibratedEnsemble:
    """A trained ensemble, its calibration for every set of modalities, and metrics on held-out patients.

    ``held_out`` is by section, ``reliability`` by platform. ``prior`` tells how what a section says of itself is used;
    if it is None, ``without_prior`` says why. ``unread`` is the modality of a training section that was not read, by
    section.
    """

    ensemble: Ensemble
    calibrations: dict[str, Calibration]
    prior: PriorOptions | None
    without_prior: str
    unread: dict[str, str]
    held_out: dict[str, Metrics]
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

    Every patient is held out once, and the out-of-fold logits give the calibration and the threshold. Then the ensemble
    is trained on all patients. ``validate`` may hold the patients out on other workers.

    Raises
    ------
    TrainingError
        If labels of both classes are missing, or some sections have neither genes nor an image.
    ConfigError
        If epochs are given for a phase that the head does not have; the head of a fold may have fewer phases.
    """
    labelled = sorted(_require_trainable(sections), key=lambda section: section.id)
    prior, without_prior = _usable_prior(labelled, options, heads)
    unread = {section.id: name for section in labelled if (name := unread_modality(section))} if prior else {}
    sections = [_without_modality(section, unread.get(section.id, "")) for section in labelled]
    _require_phases(sections, options, heads)
    curve: list[Epoch] = []

    def fit(training: Sequence[SectionData], stage: str) -> Ensemble:
        def record(epoch: Epoch) -> None:
            on_event(TrainingEvent(stage, epoch=epoch))
            curve.extend([epoch] if stage == ALL_PATIENTS else [])

        return Ensemble.train(
            training,
            head_options=options.head,
            options=options.cohort,
            seeds=options.seed_list,
            heads=heads,
            device=device,
            on_epoch=record,
        )

    folds: list[OutOfFold] = []
    for patient, scored in validate(sections, fit, prior) if options.calibrate else ():
        on_event(TrainingEvent(f"without {patient}", held_out_auc=mean_auc(scored)))
        folds.extend(scored)
    if prior and not prior_helps(folds):
        prior, without_prior = None, "on held-out patients, detection is worse with it"
    ensemble = fit(sections, ALL_PATIENTS)
    calibrations = _calibrations(folds, ensemble, options, prior)
    scored_folds = [(fold, fold.probabilities(calibrations, with_prior=prior is not None)) for fold in folds]
    metrics = {
        fold.section.id: measure(probabilities, fold.labels, calibrations[fold.modalities].threshold)
        for fold, probabilities in scored_folds
    }
    reliability = reliability_by_platform(
        [
            HeldOutSection(fold.section.platform, fold.section.patient, probabilities, fold.labels)
            for fold, probabilities in scored_folds
        ]
    )
    return CalibratedEnsemble(ensemble, calibrations, prior, without_prior, unread, metrics, reliability, tuple(curve))


def unread_modality(section: SectionData) -> str:
    """Return the modality of a section that shows no tissue, so that it is not learned from; '' if there is none."""
    if section.evidence is None or section.expression is None or section.image is None:
        return ""
    trusted = trusted_modalities("image+genes", section.evidence)
    return {"image": "genes", "genes": "image"}.get(trusted, "")


def _without_modality(section: SectionData, modality: str) -> SectionData:
    return with_modalities(section, genes=modality != "genes", image=modality != "image")


def _usable_prior(
    sections: Sequence[SectionData], options: TrainOptions, heads: Registry[Any]
) -> tuple[PriorOptions | None, str]:
    """Return how the sections' own evidence is used; None, with the reason, if it does not speak for their tissue."""
    if not options.prior.use:
        return None, "it was switched off"
    if not heads.create(options.head.name, options.head.options, dims=ANY_DIMS).uses_prior:
        return None, f"the head '{options.head.name}' does not use it"
    if any(section.evidence is None for section in sections):
        return None, "the training sections' own evidence was not read"
    answers = {section.evidence.epithelium.answer for section in sections if section.expression and section.evidence}
    if "none" in answers:
        return None, "training sections have no epithelium, and the gene lists are those of carcinoma"
    if answers == {"unknown"}:
        return None, "too few genes of the training sections tell whether they have epithelium"
    return options.prior, ""


def _calibrations(
    folds: Sequence[OutOfFold], ensemble: Ensemble, options: TrainOptions, prior: PriorOptions | None
) -> dict[str, Calibration]:
    if not options.calibrate:
        reason = "calibration was switched off"
        return {name: Calibration.none(name, reason, part_names(name) if prior else ()) for name in ensemble.modalities}
    if prior:
        return calibrate_combined(folds, ensemble.modalities)
    return calibrate_folds(folds, ensemble.modalities, fuse=ensemble.scores_modalities_separately)


def _require_phases(sections: Sequence[SectionData], options: TrainOptions, heads: Registry[Any]) -> None:
    if options.head.epochs:
        dims = Preprocessor.unfactored(sections, options.cohort).dims
        require_phases(heads.create(options.head.name, options.head.options, dims=dims), options.head.epochs)


def _require_trainable(sections: Sequence[SectionData]) -> list[SectionData]:
    """Return the labelled sections; raise TrainingError if they cannot train a head."""
    labelled = [section for section in sections if section.classes]
    classes = {label for section in labelled for label in section.classes}
    if classes != {0, 1}:
        present = {0: "only normal spots", 1: "only cancer spots"}.get(next(iter(classes), -1), "no labelled spot")
        raise TrainingError(
            f"training needs both cancer and normal spots, but found {present}", hint="spacrd ingest ... --labels FILE"
        )
    unreadable = [section.id for section in labelled if section.expression is None and section.image is None]
    if unreadable:
        raise TrainingError(
            f"sections without genes and without an image: {', '.join(unreadable)}",
            hint=f"ingest them with --image FILE, or exclude them (--exclude {unreadable[0]})",
        )
    return labelled
