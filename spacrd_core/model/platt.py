"""Calibration of logits to probabilities, and the decision threshold; both are fitted on held-out patients."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from pydantic import BaseModel, ConfigDict
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from spacrd_core.cohort.weights import balanced_weights
from spacrd_core.model.conformal import Profiles, nonconformity_profiles
from spacrd_core.model.modality_weights import fit_modality_weights

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from spacrd_core.arrays import Array

CANDIDATE_THRESHOLDS = 99


class Calibration(BaseModel):
    """Platt scaling and a threshold: ``probability = sigmoid(sum of slope * logit over modalities + intercept)``.

    ``method`` is ``platt`` if it was fitted on held-out patients and ``none`` otherwise; ``threshold_rule`` gives the
    reason. ``weights`` are the weights of the modalities and sum to 1. ``nonconformity`` has one profile per held-out
    patient.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    method: str = "none"
    weights: dict[str, float]
    slopes: dict[str, float]
    intercept: float = 0.0
    threshold: float = 0.5
    threshold_rule: str = "0.5"
    nonconformity: Profiles = ()

    @classmethod
    def none(cls, modalities: str, reason: str) -> Calibration:
        """Return the calibration that uses the logits unchanged, for this reason."""
        return cls(weights={modalities: 1.0}, slopes={modalities: 1.0}, threshold_rule=f"0.5, as {reason}")

    def probabilities(self, logits: Mapping[str, Array]) -> Array:
        """Return calibrated probabilities from the logits of each set of modalities, in the logits' shape."""
        odds = sum(slope * logits[modalities] for modalities, slope in self.slopes.items())
        return np.asarray(expit(odds + self.intercept), dtype=np.float64)


def calibrate(logits: Mapping[str, Array], labels: Array, patients: Sequence[str]) -> Calibration:
    """Return the calibration fitted on held-out spots, with patients and classes balanced.

    ``logits`` are out-of-fold, for one set of modalities or several, the widest first. Modalities whose logits
    contradict the labels (a slope of zero or less) are not used; if none remains, the logits of the first are used
    unchanged.
    """
    spot_weights = balanced_weights(patients, labels)
    lines = {name: _fit_platt(values, labels, spot_weights) for name, values in logits.items()}
    odds = {name: slope * logits[name] + intercept for name, (slope, intercept) in lines.items() if slope > 0}
    if not odds:
        return Calibration.none(next(iter(logits)), "the logits contradict the labels of held-out patients")
    weights = fit_modality_weights(odds, labels, patients)
    fused = np.sum([weight * odds[name] for name, weight in weights.items()], axis=0)
    slope, intercept = _fit_platt(fused, labels, spot_weights)
    probabilities = expit(slope * fused + intercept)
    return Calibration(
        method="platt",
        weights=weights,
        slopes={name: slope * weight * lines[name][0] for name, weight in weights.items()},
        intercept=intercept + slope * sum(weight * lines[name][1] for name, weight in weights.items()),
        threshold=best_threshold(probabilities, labels, spot_weights),
        threshold_rule="highest accuracy on held-out patients, patients and classes balanced",
        nonconformity=nonconformity_profiles(probabilities, labels, patients),
    )


def best_threshold(probabilities: Array, labels: Array, weights: Array) -> float:
    """Return the threshold with the highest weighted accuracy; of equal thresholds, the one nearest to 0.5.

    F1 is not suitable: with balanced classes, calling every spot cancer has an F1 of two thirds.
    """
    candidates = np.arange(1, CANDIDATE_THRESHOLDS + 1) / (CANDIDATE_THRESHOLDS + 1)
    correct = (probabilities[None, :] >= candidates[:, None]) == (labels == 1)
    accuracy = (correct * weights).sum(axis=1)
    best = candidates[accuracy >= accuracy.max() - 1e-9]
    return float(best[np.argmin(np.abs(best - 0.5))])


def _fit_platt(logits: Array, labels: Array, weights: Array) -> tuple[float, float]:
    """Return slope and intercept (Platt 1999)."""
    model = LogisticRegression(C=1e3, max_iter=1000).fit(logits[:, None], labels, sample_weight=weights)
    return float(model.coef_[0, 0]), float(model.intercept_[0])
