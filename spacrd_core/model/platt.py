"""From logits to probabilities, and the threshold: both chosen on held-out patients, never on the target."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from pydantic import BaseModel, ConfigDict
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from spacrd_core.cohort.weights import balanced_weights
from spacrd_core.model.conformal import Profiles, strangeness_profiles
from spacrd_core.model.modality_weights import blend

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from spacrd_core.arrays import Array

CANDIDATES = 99


class Calibration(BaseModel):
    """Platt scaling and a threshold: ``probability = sigmoid(sum of slope * logit over views + intercept)``.

    ``method`` is ``platt`` when held-out patients decided, ``none`` when they could not; ``threshold_rule`` says why.
    ``shares`` says how much each view counts; they sum to 1. ``strangeness`` is that of every held-out patient's spots.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    method: str = "none"
    shares: dict[str, float]
    slopes: dict[str, float]
    intercept: float = 0.0
    threshold: float = 0.5
    threshold_rule: str = "0.5"
    strangeness: Profiles = ()

    @classmethod
    def none(cls, view: str, why: str) -> Calibration:
        """Return the one that takes a view's logits as they are, and says why."""
        return cls(shares={view: 1.0}, slopes={view: 1.0}, threshold_rule=f"0.5, as {why}")

    def probabilities(self, logits: Mapping[str, Array]) -> Array:
        """Return calibrated probabilities from every view's logits, of any one shape."""
        odds = sum(slope * logits[view] for view, slope in self.slopes.items())
        return np.asarray(expit(odds + self.intercept), dtype=np.float64)


def calibrate(logits: Mapping[str, Array], labels: Array, patients: Sequence[str]) -> Calibration:
    """Return the calibration that held-out patients ask for, patients and classes counting the same.

    ``logits`` were given, by one view or several, by models that had not seen the spot's patient; the widest view comes
    first. Views whose logits held-out patients contradict (a slope of zero or less) do not count; where that leaves
    none, the first view's logits are taken as they are.
    """
    weights = balanced_weights(patients, labels)
    lines = {view: _platt(values, labels, weights) for view, values in logits.items()}
    odds = {view: slope * logits[view] + intercept for view, (slope, intercept) in lines.items() if slope > 0}
    if not odds:
        return Calibration.none(next(iter(logits)), "held-out patients contradict the logits")
    shares = blend(odds, labels, patients)
    blended = np.sum([share * odds[view] for view, share in shares.items()], axis=0)
    slope, intercept = _platt(blended, labels, weights)
    probabilities = expit(slope * blended + intercept)
    return Calibration(
        method="platt",
        shares=shares,
        slopes={view: slope * share * lines[view][0] for view, share in shares.items()},
        intercept=intercept + slope * sum(share * lines[view][1] for view, share in shares.items()),
        threshold=best_threshold(probabilities, labels, weights),
        threshold_rule="highest accuracy on held-out patients, patients and classes balanced",
        strangeness=strangeness_profiles(probabilities, labels, patients),
    )


def best_threshold(probabilities: Array, labels: Array, weights: Array) -> float:
    """Return the threshold with the highest weighted accuracy; the one nearest 0.5 where several are as good.

    F1 would be no guide: with both classes weighing the same, calling every spot cancer has an F1 of two thirds.
    """
    candidates = np.arange(1, CANDIDATES + 1) / (CANDIDATES + 1)
    right = (probabilities[None, :] >= candidates[:, None]) == (labels == 1)
    accuracy = (right * weights).sum(axis=1)
    best = candidates[accuracy >= accuracy.max() - 1e-9]
    return float(best[np.argmin(np.abs(best - 0.5))])


def _platt(logits: Array, labels: Array, weights: Array) -> tuple[float, float]:
    """Return slope and intercept (Platt 1999)."""
    model = LogisticRegression(C=1e3, max_iter=1000).fit(logits[:, None], labels, sample_weight=weights)
    return float(model.coef_[0, 0]), float(model.intercept_[0])
