"""Bootstrap intervals of means over patients."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import bootstrap

if TYPE_CHECKING:
    from collections.abc import Sequence

LEVEL = 0.95
RESAMPLES = 9999
SEED = 42
FEW_PATIENTS = 20


def patient_interval(values: Sequence[float]) -> tuple[float, float] | None:
    """Return the 95 % bootstrap interval of a mean over patients, given one value per patient; None for fewer than two.

    Spots and sections of one patient are correlated, so whole patients are resampled (percentile bootstrap of clusters,
    with a fixed seed).
    """
    if len(values) < 2:
        return None
    ordered = np.sort(np.asarray(values, dtype=np.float64))
    result = bootstrap(
        (ordered,),
        np.mean,
        n_resamples=RESAMPLES,
        confidence_level=LEVEL,
        method="percentile",
        rng=np.random.default_rng(SEED),
    )
    return float(result.confidence_interval.low), float(result.confidence_interval.high)


def interval_note(patients: int) -> str:
    """Return a sentence on how reliable the interval of this many patients is."""
    method = "95 % intervals by resampling patients"
    if patients < 2:
        return f"{method} need at least two patients"
    if patients < FEW_PATIENTS:
        return f"{method}; with {patients} patients they are approximate and rather too narrow"
    return f"{method} ({patients})"
