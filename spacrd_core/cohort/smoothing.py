"""Smoothing over similar tissue: isolated calls disappear, edges stay."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.sparse.linalg import LinearOperator

from spacrd_core.arrays import Array
from spacrd_core.cohort.decomposition import Decomposition
from spacrd_core.cohort.operators import centred, column_means
from spacrd_core.section.geometry import neighbours

RADIUS_PITCHES = 3.3
MAX_NEIGHBOURS = 45  # 37 spots lie within the radius on a square or hexagonal lattice; irregular positions have more
COMPONENTS = 10
ITERATIONS = 7
MIN_VARIANCE = 1e-10  # relative to a spot's squared length; features that vary less are constant


@dataclass(frozen=True)
class BilateralFilter:
    """For every spot of a section, its neighbours and their weights, which sum to 1 (Tomasi and Manduchi 1998).

    Tumour is contiguous, so neighbours of the same tissue are informative about a spot's call. Dissimilarity is the
    squared distance in the leading components of the section's own features and needs no labels: at the median of all
    pairs of neighbours, the weight is smaller by a factor of e.
    """

    neighbours: Int[Array, "spots k"]
    weights: Float[Array, "spots k"]

    @classmethod
    def fit(
        cls,
        xy_um: Float[Array, "spots 2"],
        pitch_um: float,
        features: Sequence[LinearOperator],
        *,
        iterations: int = ITERATIONS,
    ) -> Self:
        """Return the filter of a section from the neighbourhood means of its modalities.

        ``iterations`` sharpen the leading components; fewer are faster.
        """
        indices, present = neighbours(xy_um, k=MAX_NEIGHBOURS, radius_um=RADIUS_PITCHES * pitch_um)
        distances = [_pairwise_distances(means, indices, present, iterations) for means in features]
        weights = np.where(present, np.exp(-np.mean(distances, axis=0)), 0.0)
        return cls(indices, weights / weights.sum(axis=1, keepdims=True))

    def __call__(self, values: Float[Array, " spots"]) -> Float[Array, " spots"]:
        """Return the weighted mean of every spot's neighbours."""
        return np.asarray((self.weights * values[self.neighbours]).sum(axis=1))


def _pairwise_distances(
    features: LinearOperator, indices: Int[Array, "spots k"], present: Bool[Array, "spots k"], iterations: int
) -> Float[Array, "spots k"]:
    """Return the squared distance of every spot from each neighbour, in units of the median pair's."""
    mean = column_means(features)
    leading = Decomposition.of(centred(features, mean), COMPONENTS, iterations=iterations)
    coordinates = leading.left * leading.values
    distances = np.stack([np.square(coordinates[column] - coordinates).sum(axis=1) for column in indices.T], axis=1)
    pairs = distances[:, 1:][present[:, 1:]]
    median = float(np.median(pairs)) if len(pairs) else 0.0
    rounding = MIN_VARIANCE * (np.square(mean).sum() + np.square(coordinates).sum(axis=1).mean())
    return np.asarray(distances / median if median > rounding else np.zeros_like(distances))
