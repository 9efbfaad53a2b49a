"""The rule that labels a spot by its cells or bins. The store keeps the fraction, so training can use another limit."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from spacrd_core.arrays import Array

DEFAULT_CANCER_FRACTION = 0.5  # of the stored labels, and of ``cohort.cancer_fraction``


def is_cancer(fraction: Array, cancer_fraction: float = DEFAULT_CANCER_FRACTION) -> Array:
    """Return the mask of cancer spots, given the cancer fraction of their labelled cells or bins; False for NaN."""
    cancer: Array = fraction >= cancer_fraction
    return cancer
