"""How often spots were cancer that were said to be so with some probability, on patients held out, by platform."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from spacrd_core.metrics.classification import binned, expected_calibration_error

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from spacrd_core.arrays import Array
    from spacrd_core.model.cross_validation import HeldOut
    from spacrd_core.model.platt import Calibration


@dataclass(frozen=True)
class Reliability:
    """Spots of a platform in ten bins of probability; a bin's means are None where it has no spots.

    ``ece`` is the mean over patients, a patient's being the mean over its sections; the bins hold all spots alike.
    """

    patients: int
    ece: float
    spots: list[int]
    probability: list[float | None]
    cancer: list[float | None]


def reliability_by_platform(
    held_out: Sequence[HeldOut], calibrations: Mapping[str, Calibration]
) -> dict[str, Reliability]:
    """Return for every platform, by name, how reliable probabilities were on its held-out sections."""
    platforms = sorted({item.section.platform for item in held_out})
    return {
        platform: _reliability([item for item in held_out if item.section.platform == platform], calibrations)
        for platform in platforms
    }


def _reliability(held_out: Sequence[HeldOut], calibrations: Mapping[str, Calibration]) -> Reliability:
    said = [calibrations[item.view].probabilities(item.logits[item.view]) for item in held_out]
    errors: dict[str, list[float]] = {}
    for item, probabilities in zip(held_out, said, strict=True):
        error = expected_calibration_error(probabilities, item.labels)
        errors.setdefault(item.section.patient, []).append(error)
    spots, probability, cancer = binned(np.concatenate(said), np.concatenate([item.labels for item in held_out]))
    return Reliability(
        patients=len(errors),
        ece=float(np.mean([np.mean(values) for values in errors.values()])),
        spots=spots.tolist(),
        probability=_means(probability, spots),
        cancer=_means(cancer, spots),
    )


def _means(sums: Array, spots: Array) -> list[float | None]:
    return [float(total / count) if count else None for total, count in zip(sums, spots, strict=True)]
