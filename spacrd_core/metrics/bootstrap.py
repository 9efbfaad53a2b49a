"""How far a mean over patients may be from what other patients would give: a bootstrap that resamples patients."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spacrd_core.arrays import Array

LEVEL = 0.95
ENUMERATED = 8  # with so many patients there are 6,435 resamples; with two more, 92,378
DRAWS = 10_000
SEED = 42
FEW = 20


def patient_interval(values: Sequence[float]) -> tuple[float, float] | None:
    """Return the 95 % bootstrap interval of a mean over patients, one value a patient; None of fewer than two.

    Spots and sections of a patient resemble each other, so patients are what is resampled, with all that is theirs
    (percentile bootstrap of clusters). With few patients every resample is counted, with many they are drawn by a fixed
    seed.
    """
    if len(values) < 2:
        return None
    ordered = np.sort(np.asarray(values, dtype=np.float64))
    means, chances = _every_resample(ordered) if len(ordered) <= ENUMERATED else _drawn_resamples(ordered)
    tail = (1.0 - LEVEL) / 2
    low, high = _quantiles(means, chances, (tail, 1.0 - tail))
    return low, high


def how_rough(patients: int) -> str:
    """Return in words what the interval of so many patients is worth."""
    what = "95 % intervals by resampling patients"
    if patients < 2:
        return f"{what} need at least two patients"
    if patients < FEW:
        return f"{what}; with {patients} of them they are rough, and rather too narrow"
    return f"{what} ({patients})"


def _every_resample(values: Array) -> tuple[Array, Array]:
    """The mean and the chance of every multiset of so many patients."""
    count = len(values)
    draws = list(itertools.combinations_with_replacement(range(count), count))
    ways = [
        math.factorial(count) // math.prod(math.factorial(times) for times in Counter(draw).values()) for draw in draws
    ]
    return values[np.array(draws)].mean(axis=1), np.array(ways) / count**count


def _drawn_resamples(values: Array) -> tuple[Array, Array]:
    draws = np.random.default_rng(SEED).integers(0, len(values), size=(DRAWS, len(values)))
    return values[draws].mean(axis=1), np.full(DRAWS, 1.0 / DRAWS)


def _quantiles(values: Array, chances: Array, levels: Sequence[float]) -> list[float]:
    """The smallest value that the chances up to it reach each level with."""
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(chances[order])
    places = np.searchsorted(reached, np.asarray(levels) - 1e-12)
    return [float(value) for value in values[order][np.minimum(places, len(values) - 1)]]
