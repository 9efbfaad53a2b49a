"""Smoothing over similar tissue: isolated calls disappear, edges stay."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self, TypeAlias

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.sparse.linalg import LinearOperator

from spacrd_core.arrays import Array
from spacrd_core.cohort.decomposition import Decomposition, leading_coordinates
from spacrd_core.cohort.neighbourhood_means import NeighbourhoodMeans
from spacrd_core.cohort.operators import centred, column_means
from spacrd_core.section.geometry import neighbours

RADIUS_PITCHES = 3.3
MAX_NEIGHBOURS = 45  # 37 spots lie within the radius on a square or hexagonal lattice; irregular positions have more
COMPONENTS = 10
ITERATIONS = 7
FEW_SPOTS = 700  # up to so many, inner products of dense rows are faster than products with the matrix
MIN_VARIANCE = 1e-10  # relative to a spot's squared length; features that vary less are constant

Means: TypeAlias = LinearOperator | Array


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
        named = {str(number): means for number, means in enumerate(features)}
        similar = SimilarTissue.of(xy_um, pitch_um, named, iterations=iterations)
        return cls(similar.neighbours, similar.weights(named))

    def __call__(self, values: Float[Array, " spots"]) -> Float[Array, " spots"]:
        """Return the weighted mean of every spot's neighbours."""
        return np.asarray((self.weights * values[self.neighbours]).sum(axis=1))


@dataclass(frozen=True)
class SimilarTissue:
    """The neighbours of every spot of a section, and how similar they are by its modalities, each computed once."""

    neighbours: Int[Array, "spots k"]
    present: Bool[Array, "spots k"]
    features: Mapping[str, Means]
    iterations: int
    _distances: dict[str, Float[Array, "spots k"]] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        xy_um: Float[Array, "spots 2"],
        pitch_um: float,
        features: Mapping[str, Means],
        *,
        iterations: int = ITERATIONS,
    ) -> Self:
        """Return it from the neighbourhood means of a section's modalities, dense or as operators."""
        indices, present = neighbours(xy_um, k=MAX_NEIGHBOURS, radius_um=RADIUS_PITCHES * pitch_um)
        return cls(indices, present, features, iterations)

    def by(self, modalities: Iterable[str]) -> BilateralFilter:
        """Return the filter of tissue that is similar by these modalities."""
        return BilateralFilter(self.neighbours, self.weights(modalities))

    def weights(self, modalities: Iterable[str]) -> Float[Array, "spots k"]:
        """Return the weights of every spot's neighbours, which sum to 1."""
        distances = [self._distances_by(name) for name in modalities]
        weights = np.where(self.present, np.exp(-np.mean(distances, axis=0)), 0.0)
        return np.asarray(weights / weights.sum(axis=1, keepdims=True))

    def _distances_by(self, name: str) -> Float[Array, "spots k"]:
        if name not in self._distances:
            self._distances[name] = _pairwise_distances(
                self.features[name], self.neighbours, self.present, self.iterations
            )
        return self._distances[name]


def readable(means: NeighbourhoodMeans, spots: int) -> Means:
    """Return neighbourhood means as their components are found fastest; at most so many spots are dense."""
    few = len(means) <= min(FEW_SPOTS, spots, means.width)
    return means.dense() if few else means.faster(spots).operator()


def _pairwise_distances(
    features: Means, indices: Int[Array, "spots k"], present: Bool[Array, "spots k"], iterations: int
) -> Float[Array, "spots k"]:
    """Return the squared distance of every spot from each neighbour, in units of the median pair's."""
    mean, coordinates = _leading_components(features, iterations)
    distances = np.stack([np.square(coordinates[column] - coordinates).sum(axis=1) for column in indices.T], axis=1)
    pairs = distances[:, 1:][present[:, 1:]]
    median = float(np.median(pairs)) if len(pairs) else 0.0
    rounding = MIN_VARIANCE * (np.square(mean).sum() + np.square(coordinates).sum(axis=1).mean())
    return np.asarray(distances / median if median > rounding else np.zeros_like(distances))


def _leading_components(
    features: Means, iterations: int
) -> tuple[Float[Array, " d"], Float[Array, "spots components"]]:
    """Return the mean of the features, and every spot's coordinates along their leading components."""
    if isinstance(features, np.ndarray):
        mean = features.mean(axis=0)
        return mean, leading_coordinates(features - mean, COMPONENTS, iterations=iterations)
    means = column_means(features)
    leading = Decomposition.of(centred(features, means), COMPONENTS, iterations=iterations)
    return means[:, 0], leading.left * leading.values
