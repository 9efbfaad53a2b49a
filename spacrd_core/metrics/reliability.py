"""Reliability of probabilities on held-out patients: predicted probability against observed frequency of cancer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from spacrd_core.metrics.classification import binned, expected_calibration_error

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spacrd_core.arrays import Array


@dataclass(frozen=True)
class HeldOutSection:
    """Calibrated probabilities and labels of the labelled spots of a held-out section."""

    platform: str
    patient: str
    probabilities: Array
    labels: Array


@dataclass(frozen=True)
class Reliability:
    """Spots of one platform in ten bins of probability; means are None in a bin without spots.

    ``ece`` is the mean over patients of the mean over their sections; the bins pool all spots.
    """

    patients: int
    ece: float
    spots: list[int]
    probability: list[float | None]
    cancer: list[float | None]


def reliability_by_platform(sections: Sequence[HeldOutSection]) -> dict[str, Reliability]:
    """Return the reliability of held-out sections for every platform, sorted by name."""
    platforms = sorted({section.platform for section in sections})
    return {
        platform: _reliability([section for section in sections if section.platform == platform])
        for platform in platforms
    }


def _reliability(sections: Sequence[HeldOutSection]) -> Reliability:
    errors: dict[str, list[float]] = {}
    for section in sections:
        error = expected_calibration_error(section.probabilities, section.labels)
        errors.setdefault(section.patient, []).append(error)
    probabilities = np.concatenate([section.probabilities for section in sections])
    spots, probability, cancer = binned(probabilities, np.concatenate([section.labels for section in sections]))
    return Reliability(
        patients=len(errors),
        ece=float(np.mean([np.mean(values) for values in errors.values()])),
        spots=spots.tolist(),
        probability=_means(probability, spots),
        cancer=_means(cancer, spots),
    )


def _means(sums: Array, spots: Array) -> list[float | None]:
    return [float(total / count) if count else None for total, count in zip(sums, spots, strict=True)]
