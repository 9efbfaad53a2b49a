"""Train a detector: an ensemble on all labelled sections, calibrated on patients it was not trained on."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field
from sklearn.metrics import roc_auc_score

from spacrd_core.errors import TrainingError
from spacrd_core.learning.calibration import Calibration, calibrate
from spacrd_core.learning.cohort import CohortOptions
from spacrd_core.learning.ensemble import Ensemble, HeadChoice
from spacrd_core.learning.fit import Epoch
from spacrd_core.learning.metrics import Metrics, measure
from spacrd_core.learning.sections import SectionData, patients
from spacrd_core.plugins import Registry

Array = np.ndarray[Any, Any]


class TrainOptions(BaseModel):
    """How a detector is trained."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    head: HeadChoice = Field(default_factory=HeadChoice)
    cohort: CohortOptions = Field(default_factory=CohortOptions)
    seeds: int = Field(3, ge=1, description="Members of the ensemble.")
    first_seed: int = Field(42, description="The members' seeds count up from here.")

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
class HeldOut:
    """What models said of the labelled spots of a section whose patient they had not seen."""

    section: SectionData
    logits: Array

    @property
    def labels(self) -> Array:
        """The known labels, in the logits' order."""
        return self.section.labels[self.section.labels >= 0]


@dataclass(frozen=True)
class Trained:
    """A trained ensemble, its calibration, and the figures of held-out patients by section."""

    ensemble: Ensemble
    calibration: Calibration
    held_out: dict[str, Metrics]
    curve: tuple[Epoch, ...]


Watch = Callable[[Moment], None]


def train(
    sections: Sequence[SectionData],
    options: TrainOptions,
    *,
    heads: Registry[Any],
    device: torch.device,
    watch: Watch = lambda _: None,
) -> Trained:
    """Train on the labelled sections among these.

    Every patient is held out once; the logits of held-out patients give the calibration and the threshold. Then the
    ensemble is trained on all.

    Raises
    ------
    TrainingError
        If labels of both classes are missing, or some sections lack a modality that others have.
    """
    sections = _learnable(sections)
    held_out = _hold_out(sections, options, heads, device, watch) if len(patients(sections)) > 1 else []
    calibration = _calibrate(held_out)
    curve: list[Epoch] = []

    def keep(epoch: Epoch) -> None:
        curve.append(epoch)
        watch(Moment("all patients", epoch=epoch))

    ensemble = _fit(sections, options, heads, device, keep)
    figures = {
        item.section.id: measure(calibration.probabilities(item.logits), item.labels, calibration.threshold)
        for item in held_out
        if len(item.labels)
    }
    return Trained(ensemble, calibration, figures, tuple(curve))


def with_modalities(section: SectionData, *, genes: bool, image: bool) -> SectionData:
    """Return a section as if only these modalities had been measured."""
    if not genes:
        section = replace(section, expression=None)
    return section if image else replace(section, image=None, image_coverage=None, recipe=None)


def _learnable(sections: Sequence[SectionData]) -> list[SectionData]:
    kept = [section for section in sections if (section.labels >= 0).any()]
    labels = {int(value) for section in kept for value in np.unique(section.labels)} - {-1}
    if labels != {0, 1}:
        found = {0: "only normal spots", 1: "only cancer spots"}.get(next(iter(labels), -1), "no labelled spot")
        raise TrainingError(
            f"cancer and normal spots are needed, found {found}", hint="spacrd ingest ... --labels FILE"
        )
    for modality in ("expression", "image"):
        without = [section.id for section in kept if getattr(section, modality) is None]
        if without and len(without) < len(kept):
            name = "genes" if modality == "expression" else "image embeddings"
            raise TrainingError(
                f"{', '.join(without)} have no {name} while other sections have",
                hint=f"--exclude {' --exclude '.join(without)}, or --encoder none",
            )
    return kept


def _fit(
    sections: Sequence[SectionData],
    options: TrainOptions,
    heads: Registry[Any],
    device: torch.device,
    watch: Callable[[Epoch], None],
) -> Ensemble:
    return Ensemble.train(
        sections,
        choice=options.head,
        options=options.cohort,
        seeds=options.seed_list,
        heads=heads,
        device=device,
        watch=watch,
    )


def _hold_out(
    sections: Sequence[SectionData], options: TrainOptions, heads: Registry[Any], device: torch.device, watch: Watch
) -> list[HeldOut]:
    """Score every patient by models trained on the others; a fold whose other patients have one class is left out."""
    found = []
    for patient in patients(sections):
        stage = f"without {patient}"
        others = [section for section in sections if section.patient != patient]
        if {int(value) for section in others for value in np.unique(section.labels)} - {-1} != {0, 1}:
            continue
        ensemble = _fit(others, options, heads, device, lambda epoch, stage=stage: watch(Moment(stage, epoch=epoch)))
        fold = [_score(ensemble, section) for section in sections if section.patient == patient]
        watch(Moment(stage, held_out_auc=_auc(fold)))
        found.extend(fold)
    return found


def _score(ensemble: Ensemble, section: SectionData) -> HeldOut:
    logits = ensemble.score(section).logits.mean(axis=0)
    return HeldOut(section, logits[section.labels >= 0])


def _calibrate(held_out: Sequence[HeldOut]) -> Calibration:
    if not held_out:
        return Calibration()
    labels = np.concatenate([item.labels for item in held_out])
    owners = [item.section.patient for item in held_out for _ in item.labels]
    if len(np.unique(labels)) < 2:
        return Calibration()
    return calibrate(np.concatenate([item.logits for item in held_out]), labels, owners)


def _auc(fold: Sequence[HeldOut]) -> float | None:
    labels = np.concatenate([item.labels for item in fold])
    logits = np.concatenate([item.logits for item in fold])
    return float(roc_auc_score(labels, logits)) if len(np.unique(labels)) == 2 else None
