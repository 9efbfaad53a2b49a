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
    rule = "highest F1 on held-out patients, patients and classes balanced"
    return Calibration(method="platt", slope=slope, intercept=intercept, threshold=threshold, threshold_rule=rule)


def best_threshold(probabilities: Array, labels: Array, weights: Array) -> float:
    """Return the threshold with the highest weighted F1; the middle one where several are as good."""
    candidates = np.arange(1, CANDIDATES + 1) / (CANDIDATES + 1)
    called = probabilities[None, :] >= candidates[:, None]
    hits = (called * weights * labels).sum(axis=1)
    f1 = 2 * hits / ((called * weights).sum(axis=1) + (weights * labels).sum())
    best = np.flatnonzero(f1 >= f1.max() - 1e-9)
    return float(candidates[best[len(best) // 2]])
