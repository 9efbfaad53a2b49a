"""Why a spot is worth a pathologist's look."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.stats import rankdata

if TYPE_CHECKING:
    from jaxtyping import Float

    from spacrd_core.arrays import Array

NEAR, APART = 0.5, 0.25  # from which uncertainty and disagreement are named as reasons
SMALLEST = 1e-6  # beside a threshold of 0 or 1
UNCERTAIN = "close to the threshold"
DISPUTED = "the section's own genes or H&E say otherwise"
UNLIKE_TRAINING = "unlike the training tissue"
SPREAD = "to cover the tissue"


def reasons(spots: pd.DataFrame, threshold: float, own: Float[Array, " spots"] | None) -> pd.DataFrame:
    """Return the columns ``uncertainty``, ``disagreement``, ``score`` and ``reason`` of called spots.

    ``uncertainty`` is 1 at the threshold and 0 at a probability of 0 and 1. ``disagreement`` is the difference of two
    shares: of the section's spots that the detector calls less probable, and of those that the section's own evidence
    (``own``, a probability) calls less probable; missing without it. ``score`` is the sum of both, by which spots are
    chosen.
    """
    probability = spots["probability"].to_numpy(dtype=float)
    room = np.where(probability >= threshold, 1 - threshold, threshold)
    uncertainty = 1 - np.abs(probability - threshold) / np.maximum(room, SMALLEST)
    disagreement = np.full(len(spots), np.nan) if own is None else np.abs(_share_below(probability) - _share_below(own))
    columns = {"uncertainty": uncertainty, "disagreement": disagreement}
    table = pd.DataFrame(columns, index=spots.index).assign(score=uncertainty + np.nan_to_num(disagreement))
    named = {
        UNCERTAIN: uncertainty >= NEAR,
        DISPUTED: disagreement >= APART,
        UNLIKE_TRAINING: spots["ood"].to_numpy(dtype=float) > 1,
    }
    texts = zip(*(np.where(mask, text, "") for text, mask in named.items()), strict=True)
    return table.assign(reason=["; ".join(filter(None, found)) or SPREAD for found in texts])


def _share_below(values: Float[Array, " spots"]) -> Float[Array, " spots"]:
    """Return the share of the known values that are not above each; NaN where it is unknown."""
    return np.asarray(rankdata(values, nan_policy="omit") / max(np.isfinite(values).sum(), 1))
