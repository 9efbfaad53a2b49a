"""Smoothing over similar tissue: isolated calls disappear, edges stay."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import scipy.linalg
from jaxtyping import Bool, Float, Int
from scipy import sparse
from scipy.sparse.linalg import LinearOperator
from sklearn.utils import check_random_state
from torch import Tensor

from spacrd_core.arrays import Array
from spacrd_core.cohort.gene_rows import LazyExpression, linear_operator
from spacrd_core.section.geometry import neighbours

RADIUS_PITCHES = 3.3
MAX_NEIGHBOURS = 45  # 37 spots lie within the radius on a square or hexagonal lattice; irregular positions have more
COMPONENTS = 10
OVERSAMPLING, ITERATIONS = 10, 7
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


def neighbourhood_means(
    features: Float[Tensor, "spots d"] | LazyExpression,
    indices: Int[Tensor, "spots k"],
    present: Bool[Tensor, "spots k"],
) -> LinearOperator:
    """Return the mean of the features over every spot's neighbours as a linear operator (spots x features)."""
    mask = present.cpu().numpy()
    weights = (mask / mask.sum(axis=1, keepdims=True)).astype(np.float32)
    row_ends = np.arange(0, mask.size + 1, mask.shape[1])
    columns = indices.cpu().numpy().ravel()
    mean = sparse.csr_matrix((weights.ravel(), columns, row_ends), shape=(len(mask), len(features)))
    matrix = features.operator() if isinstance(features, LazyExpression) else _dense(features.cpu().numpy())
    return linear_operator(
        matrix.shape, lambda right: mean @ (matrix @ right), lambda right: matrix.T @ (mean.T @ right)
    )


def _dense(values: Float[Array, "spots d"]) -> LinearOperator:
    return linear_operator(values.shape, lambda right: values @ right, lambda right: values.T @ right)


def _pairwise_distances(
    features: LinearOperator, indices: Int[Array, "spots k"], present: Bool[Array, "spots k"], iterations: int
) -> Float[Array, "spots k"]:
    """Return the squared distance of every spot from each neighbour, in units of the median pair's."""
    spots = features.shape[0]
    mean = features.T @ np.full((spots, 1), 1 / spots, dtype=np.float32)
    centred = linear_operator(
        features.shape,
        lambda right: features @ right - mean.T @ right,
        lambda right: features.T @ right - mean * right.sum(axis=0),
    )
    coordinates = _leading_components(centred, iterations)
    distances = np.stack([np.square(coordinates[column] - coordinates).sum(axis=1) for column in indices.T], axis=1)
    pairs = distances[:, 1:][present[:, 1:]]
    median = float(np.median(pairs)) if len(pairs) else 0.0
    rounding = MIN_VARIANCE * (np.square(mean).sum() + np.square(coordinates).sum(axis=1).mean())
    return np.asarray(distances / median if median > rounding else np.zeros_like(distances))


def _leading_components(matrix: LinearOperator, iterations: int) -> Float[Array, "spots components"]:
    """Return every spot's coordinates along the leading components (Halko, Martinsson and Tropp 2011).

    scikit-learn's randomized_svd needs the matrix itself. The random start is drawn over features rather than spots, so
    that the result does not depend on the order of the spots.
    """
    components = min(COMPONENTS, *matrix.shape)
    basis = check_random_state(0).normal(size=(matrix.shape[1], components + OVERSAMPLING)).astype(np.float32)
    for _ in range(iterations):
        basis = scipy.linalg.qr(matrix.T @ scipy.linalg.qr(matrix @ basis, mode="economic")[0], mode="economic")[0]
    basis = scipy.linalg.qr(matrix @ basis, mode="economic")[0]
    axes, singular_values, _ = scipy.linalg.svd((matrix.T @ basis).T, full_matrices=False)
    return np.asarray(basis @ (axes * singular_values)[:, :components])
