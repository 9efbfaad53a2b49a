"""Metrics of probabilities against known labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from sklearn.metrics import average_precision_score, brier_score_loss, f1_score, roc_auc_score

if TYPE_CHECKING:
    from spacrd_core.arrays import Array

BINS = 10


@dataclass(frozen=True)
class Metrics:
    """Metrics of one section; None if they are undefined because the section has one class.

    ``f1_prevalence`` uses the threshold that calls as many spots as truly are cancer (the published rule, which uses
    the test labels). ``f1`` uses the detector's own threshold.
    """

    spots: int
    positives: int
    auc: float | None
    ap: float | None
    f1_prevalence: float | None
    f1: float | None
    brier: float
    ece: float


def measure(probabilities: Array, labels: Array, threshold: float) -> Metrics:
    """Return the metrics of labelled spots (labels 1 or 0)."""
    positives = int(labels.sum())
    both = 0 < positives < len(labels)
    return Metrics(
        spots=len(labels),
        positives=positives,
        auc=float(roc_auc_score(labels, probabilities)) if both else None,
        ap=float(average_precision_score(labels, probabilities)) if both else None,
        f1_prevalence=float(f1_score(labels, _top(probabilities, positives))) if both else None,
        f1=float(f1_score(labels, probabilities >= threshold, zero_division=0.0)) if positives else None,
        brier=float(brier_score_loss(labels, probabilities, labels=[0, 1])),
        ece=expected_calibration_error(probabilities, labels),
    )


def expected_calibration_error(probabilities: Array, labels: Array) -> float:
    """Return the mean difference of probability and frequency over ten equal bins, weighted by their spots."""
    spots, confidence, frequency = binned(probabilities, labels)
    return float(np.abs(confidence - frequency).sum() / spots.sum())


def binned(probabilities: Array, labels: Array) -> tuple[Array, Array, Array]:
    """Return the number of spots in ten equal bins, and the sums of their probabilities and labels."""
    bins = np.minimum((probabilities * BINS).astype(int), BINS - 1)
    spots, confidence, frequency = (
        np.bincount(bins, weights=weights, minlength=BINS) for weights in (None, probabilities, labels)
    )
    return spots, confidence, frequency


def _top(probabilities: Array, count: int) -> Array:
    called = np.zeros(len(probabilities), dtype=bool)
    called[np.argsort(-probabilities, kind="stable")[:count]] = True
    return called
