"""Sets of classes that hold the true one for all but a share of a new patient's spots.

Spots of a section are not exchangeable: they are neighbours, cut from one tumour and stained in one bath. Patients are.
So a spot's strangeness is compared over patients: a new patient is taken to be no stranger than held-out ones were
(split conformal prediction with groups as the units; Dunn, Wasserman and Ramdas 2023).
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
FEWEST = 2
SETS = ("cancer", "normal", "both", "none")
GRAINS = 10**6  # profiles are rounded up to these: a record of many patients stays small


def strangeness_profiles(probabilities: Array, labels: Array, patients: Sequence[str]) -> Profiles:
    """Return, for every held-out patient, the strangeness that 0, 1, ... 100 % of its labelled spots keep within.

    The strangeness of a spot is 1 minus the calibrated probability of its true class.
    """
    strange = np.where(labels == 1, 1 - probabilities, probabilities)
    owners, shares = np.asarray(patients), np.linspace(0, 1, STEPS + 1)
    found = (np.quantile(strange[owners == name], shares, method="higher") for name in np.unique(owners))
    return tuple(tuple((np.ceil(profile * GRAINS) / GRAINS).tolist()) for profile in found)


def strangeness_limit(profiles: Profiles, alpha: float) -> float | None:
    """Return how strange a class may be for a new patient's spot; None with fewer than two held-out patients.

    It is the strangeness that all but ``alpha`` of a patient's spots keep within, for as many of the patients as
    conformal prediction asks; for all of them, the strangest too, where they are fewer than ``1 / alpha - 1``.
    """
    if len(profiles) < FEWEST:
        return None
    column = ceil((1 - alpha) * STEPS - 1e-9)
    per_patient = np.sort([profile[column] for profile in profiles])
    rank = min(ceil((1 - alpha) * (len(profiles) + 1) - 1e-9), len(profiles))
    return float(np.clip(per_patient[rank - 1], 0, 1))


def conformal_sets(probabilities: Array, limit: float | None) -> Array:
    """Return ``cancer``, ``normal``, ``both`` or ``none`` for every spot: the classes that are not too strange.

    None for all without a limit.
    """
    if limit is None:
        return np.full(len(probabilities), None, dtype=object)
    cancer, normal = 1 - probabilities <= limit, probabilities <= limit
    found = np.select([cancer & normal, cancer, normal], ["both", "cancer", "normal"], "none")
    return found.astype(object)
