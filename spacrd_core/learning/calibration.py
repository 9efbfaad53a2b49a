"""From logits to probabilities, and the threshold: both chosen on held-out patients, never on the target."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import BaseModel, ConfigDict
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from spacrd_core.learning.balance import balanced_weights

if TYPE_CHECKING:
    from collections.abc import Sequence

Array = np.ndarray[Any, Any]
CANDIDATES = 99


class Calibration(BaseModel):
    """Platt scaling and a threshold: ``probability = sigmoid(slope * logit + intercept)``.

    ``method`` is ``platt`` when held-out patients decided, ``none`` when there was only one patient to learn from.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    method: str = "none"
    slope: float = 1.0
    intercept: float = 0.0
    threshold: float = 0.5
    threshold_rule: str = "0.5"

    def probabilities(self, logits: Array) -> Array:
        """Return calibrated probabilities, of any shape."""
        return np.asarray(expit(self.slope * logits + self.intercept), dtype=np.float64)


def calibrate(logits: Array, labels: Array, patients: Sequence[str]) -> Calibration:
    """Return the calibration that held-out patients ask for, patients and classes counting the same.

    ``logits`` were given by models that had not seen the spot's patient. Where held-out patients contradict the logits
    (a slope of zero or less), the logits are left as they are.
    """
    weights = balanced_weights(patients, labels)
    model = LogisticRegression(C=1e3, max_iter=1000).fit(logits[:, None], labels, sample_weight=weights)
    slope, intercept = float(model.coef_[0, 0]), float(model.intercept_[0])
    if slope <= 0:
        return Calibration()
    probabilities = expit(slope * logits + intercept)
    threshold = best_threshold(probabilities, labels, weights)
    rule = "highest accuracy on held-out patients, patients and classes balanced"
    return Calibration(method="platt", slope=slope, intercept=intercept, threshold=threshold, threshold_rule=rule)


def best_threshold(probabilities: Array, labels: Array, weights: Array) -> float:
    """Return the threshold with the highest weighted accuracy; the one nearest 0.5 where several are as good.

    F1 would be no guide: with both classes weighing the same, calling every spot cancer has an F1 of two thirds.
    """
    candidates = np.arange(1, CANDIDATES + 1) / (CANDIDATES + 1)
    right = (probabilities[None, :] >= candidates[:, None]) == (labels == 1)
    accuracy = (right * weights).sum(axis=1)
    best = candidates[accuracy >= accuracy.max() - 1e-9]
    return float(best[np.argmin(np.abs(best - 0.5))])
