"""Calls averaged over tissue that looks alike: specks go, edges stay."""

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
from spacrd_core.cohort.gene_rows import GeneRows, operator_of
from spacrd_core.section.geometry import neighbours

REACH_PITCHES = 3.3
MOST = 45  # 37 spots are within that reach on a square as on a hexagonal lattice; some more where they lie irregularly
COMPONENTS = 10
SPARE, ITERATIONS = 10, 7
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
    def of(cls, xy_um: Float[Array, "spots 2"], pitch_um: float, features: Sequence[LinearOperator]) -> Self:
        """Return the smoother of a section from its modalities' features, as :func:`neighbourhood_means` gives them."""
        around, present = neighbours(xy_um, k=MOST, radius_um=REACH_PITCHES * pitch_um)
        apart = [_apart(means, around, present) for means in features]
        weights = np.where(present, np.exp(-np.mean(apart, axis=0)), 0.0)
        return cls(around, weights / weights.sum(axis=1, keepdims=True))

    def __call__(self, values: Float[Array, " spots"]) -> Float[Array, " spots"]:
        """Return every spot's average."""
        return np.asarray((self.shares * values[self.around]).sum(axis=1))


def neighbourhood_means(
    features: Float[Tensor, "spots d"] | GeneRows, around: Int[Tensor, "spots k"], present: Bool[Tensor, "spots k"]
) -> LinearOperator:
    """Return the mean of the features over the present neighbours of every spot, as what multiplies matrices."""
    there = present.cpu().numpy()
    shares = (there / there.sum(axis=1, keepdims=True)).astype(np.float32)
    ends = np.arange(0, there.size + 1, there.shape[1])
    mean = sparse.csr_matrix((shares.ravel(), around.cpu().numpy().ravel(), ends), shape=(len(there), len(features)))
    own = features.operator() if isinstance(features, GeneRows) else _dense(features.cpu().numpy())
    return operator_of(own.shape, lambda right: mean @ (own @ right), lambda right: own.T @ (mean.T @ right))


def _dense(values: Float[Array, "spots d"]) -> LinearOperator:
    return operator_of(values.shape, lambda right: values @ right, lambda right: values.T @ right)


def _apart(features: LinearOperator, around: Int[Array, "spots k"], present: Array) -> Float[Array, "spots k"]:
    """Return the squared distance of every spot from those around it, in units of its median."""
    spots = features.shape[0]
    middle = features.T @ np.full((spots, 1), 1 / spots, dtype=np.float32)
    centred = operator_of(
        features.shape,
        lambda right: features @ right - middle.T @ right,
        lambda right: features.T @ right - middle * right.sum(axis=0),
    )
    places = _places(centred)
    apart = np.stack([np.square(places[place] - places).sum(axis=1) for place in around.T], axis=1)
    pairs = apart[:, 1:][present[:, 1:]]
    usual = float(np.median(pairs)) if len(pairs) else 0.0
    rounding = STILL * (np.square(middle).sum() + np.square(places).sum(axis=1).mean())
    return np.asarray(apart / usual if usual > rounding else np.zeros_like(apart))


def _places(matrix: LinearOperator) -> Float[Array, "spots components"]:
    """Return where every spot is along the leading components (Halko, Martinsson and Tropp 2011).

    scikit-learn's randomized_svd wants the matrix itself. Drawn over features, not over spots: the order of the spots
    then does not matter.
    """
    parts = min(COMPONENTS, *matrix.shape)
    basis = check_random_state(0).normal(size=(matrix.shape[1], parts + SPARE)).astype(np.float32)
    for _ in range(ITERATIONS):
        basis = scipy.linalg.qr(matrix.T @ scipy.linalg.qr(matrix @ basis, mode="economic")[0], mode="economic")[0]
    basis = scipy.linalg.qr(matrix @ basis, mode="economic")[0]
    axes, spread, _ = scipy.linalg.svd((matrix.T @ basis).T, full_matrices=False)
    return np.asarray(basis @ (axes * spread)[:, :parts])
