"""What models say of patients they have not seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.metrics import roc_auc_score

from spacrd_core.learning.calibration import Calibration, calibrate
from spacrd_core.learning.sections import patients

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from spacrd_core.learning.ensemble import Ensemble
    from spacrd_core.learning.sections import SectionData

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class HeldOut:
    """The logits of a section's labelled spots, by models that had not seen its patient."""

    section: SectionData
    logits: Array

    @property
    def labels(self) -> Array:
        """The known labels, in the logits' order."""
        return self.section.labels[self.section.labels >= 0]


def hold_out(
    sections: Sequence[SectionData], fit: Callable[[Sequence[SectionData], str], Ensemble]
) -> Iterator[tuple[str, list[HeldOut]]]:
    """Yield every patient with what models trained on the others say of its sections.

    A patient without whom one class is missing cannot be held out.
    """
    for patient in patients(sections):
        others = [section for section in sections if section.patient != patient]
        if {label for section in others for label in section.classes} == {0, 1}:
            ensemble = fit(others, f"without {patient}")
            yield patient, [_score(ensemble, section) for section in sections if section.patient == patient]


def calibrate_on(held_out: Sequence[HeldOut]) -> Calibration:
    """Return the calibration that held-out spots ask for; none where they have not both classes."""
    labels = np.concatenate([item.labels for item in held_out]) if held_out else np.array([])
    if len(np.unique(labels)) < 2:
        return Calibration()
    owners = [item.section.patient for item in held_out for _ in item.labels]
    return calibrate(np.concatenate([item.logits for item in held_out]), labels, owners)


def auc(fold: Sequence[HeldOut]) -> float | None:
    """Return the AUC over the spots of some sections; None where they have one class."""
    labels = np.concatenate([item.labels for item in fold])
    logits = np.concatenate([item.logits for item in fold])
    return float(roc_auc_score(labels, logits)) if len(np.unique(labels)) == 2 else None


def _score(ensemble: Ensemble, section: SectionData) -> HeldOut:
    return HeldOut(section, ensemble.score(section).logits.mean(axis=0)[section.labels >= 0])
