"""Calls averaged over tissue that looks alike: specks go, edges stay."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from jaxtyping import Float, Int
from sklearn.utils.extmath import randomized_svd

from spacrd_core.geometry import neighbours
from spacrd_core.learning.head import Batch, neighbourhood_mean

Array = np.ndarray[Any, Any]
REACH_PITCHES = 3.3
MOST = 45  # spots within that reach on the densest lattice
COMPONENTS = 10
STILL = 1e-10  # of a spot's squared length: features that vary by less do not


@dataclass(frozen=True)
class Smoother:
    """For every spot of a section, the spots around it and how much each counts; shares sum to 1.

    Tumour is contiguous, so a spot's neighbours know something of it, as far as they are the same tissue: how alike two
    spots are is measured in the leading components of the section's own features, without labels (a bilateral filter,
    Tomasi and Manduchi 1998). Two spots that differ like the median pair of neighbours count by a factor of e less.
    """

    around: Int[Array, "spots k"]
    shares: Float[Array, "spots k"]

    @classmethod
    def of(cls, xy_um: Float[Array, "spots 2"], pitch_um: float, batch: Batch) -> Self:
        """Return the smoother of a section whose spots are all in the batch, in order."""
        around, present = neighbours(xy_um, k=MOST, radius_um=REACH_PITCHES * pitch_um)
        held = [features for features in (batch.genes, batch.image) if features is not None]
        apart = [_apart(neighbourhood_mean(features, batch).cpu().numpy(), around, present) for features in held]
        weights = np.where(present, np.exp(-np.mean(apart, axis=0)), 0.0)
        return cls(around, weights / weights.sum(axis=1, keepdims=True))

    def __call__(self, values: Float[Array, " spots"]) -> Float[Array, " spots"]:
        """Return every spot's average."""
        return np.asarray((self.shares * values[self.around]).sum(axis=1))


def _apart(features: Float[Array, "spots d"], around: Int[Array, "spots k"], present: Array) -> Float[Array, "spots k"]:
    """Return the squared distance of every spot from those around it, in units of its median."""
    parts = min(COMPONENTS, *features.shape)
    # Drawn over features (``transpose``), not over spots: the order of the spots then does not matter.
    axes, spread, _ = randomized_svd(features - features.mean(axis=0), parts, transpose=False, random_state=0)
    places = axes * spread
    apart = np.square(places[around] - places[:, None]).sum(axis=-1)
    pairs = apart[:, 1:][present[:, 1:]]
    usual = float(np.median(pairs)) if len(pairs) else 0.0
    rounding = STILL * np.square(features).sum(axis=1).mean()
    return np.asarray(apart / usual if usual > rounding else np.zeros_like(apart))
