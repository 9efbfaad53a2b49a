"""Standardised values of spots, and their correlation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from jaxtyping import Float

    from spacrd_core.arrays import Array


def standardise(values: Float[Array, " spots"]) -> Float[Array, " spots"]:
    """Return values with mean 0 and standard deviation 1; all 0 if they are equal."""
    spread = values.std()
    centred = values - values.mean()
    return np.asarray(centred / spread if spread > 0 else np.zeros_like(centred), dtype=np.float64)


def correlation(first: Float[Array, " spots"], second: Float[Array, " spots"]) -> float:
    """Return the correlation over spots; 0 if one of them does not vary."""
    return float((standardise(first) * standardise(second)).mean()) if len(first) else 0.0
