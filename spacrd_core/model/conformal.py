"""Conformal sets: the classes that contain the true one for all but a given share of a new patient's spots.

Spots of one section are not exchangeable: they are neighbours, cut from one tumour and stained together. Patients are.
So nonconformity is compared between patients: a new patient's spots are assumed to be no more nonconforming than those
of held-out patients (split conformal prediction with groups as units; Dunn, Wasserman and Ramdas 2023).
"""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spacrd_core.arrays import Array

Profiles = tuple[tuple[float, ...], ...]
STEPS = 100
MIN_PATIENTS = 2
SETS = ("cancer", "normal", "both", "none")
ROUNDING = 10**6  # profiles are rounded up to this resolution, which keeps the record of many patients small


def nonconformity_profiles(probabilities: Array, labels: Array, patients: Sequence[str]) -> Profiles:
    """Return, for every held-out patient, the 0, 1, ... 100 % quantiles of the nonconformity of its labelled spots.

    The nonconformity of a spot is 1 minus the calibrated probability of its true class.
    """
    nonconformity = np.where(labels == 1, 1 - probabilities, probabilities)
    spot_patients, levels = np.asarray(patients), np.linspace(0, 1, STEPS + 1)
    profiles = (
        np.quantile(nonconformity[spot_patients == patient], levels, method="higher")
        for patient in np.unique(spot_patients)
    )
    return tuple(tuple((np.ceil(profile * ROUNDING) / ROUNDING).tolist()) for profile in profiles)


def nonconformity_limit(profiles: Profiles, alpha: float) -> float | None:
    """Return the largest nonconformity of a class in a new patient's sets; None with fewer than two held-out patients.

    It is the ``1 - alpha`` quantile over spots of one held-out patient, the patient at the rank that conformal
    prediction requires; with fewer than ``1 / alpha - 1`` patients, the highest such quantile of any patient.
    """
    if len(profiles) < MIN_PATIENTS:
        return None
    column = ceil((1 - alpha) * STEPS - 1e-9)
    per_patient = np.sort([profile[column] for profile in profiles])
    rank = min(ceil((1 - alpha) * (len(profiles) + 1) - 1e-9), len(profiles))
    return float(np.clip(per_patient[rank - 1], 0, 1))


def conformal_sets(probabilities: Array, limit: float | None) -> Array:
    """Return ``cancer``, ``normal``, ``both`` or ``none`` for every spot: the classes within the nonconformity limit.

    Every entry is None without a limit.
    """
    if limit is None:
        return np.full(len(probabilities), None, dtype=object)
    cancer, normal = 1 - probabilities <= limit, probabilities <= limit
    sets = np.select([cancer & normal, cancer, normal], ["both", "cancer", "normal"], "none")
    return sets.astype(object)
