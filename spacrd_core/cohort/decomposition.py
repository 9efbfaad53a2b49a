"""The leading directions of a matrix that is given by its products alone (Halko, Martinsson and Tropp 2011)."""

from dataclasses import dataclass
from functools import cache
from typing import Self

import numpy as np
import scipy.linalg
from jaxtyping import Float
from scipy.sparse.linalg import LinearOperator
from sklearn.utils import check_random_state

from spacrd_core.arrays import Array

OVERSAMPLING = 10


@dataclass(frozen=True)
class Decomposition:
    """The leading singular values and vectors of a matrix; its product is ``left * values @ axes.T``."""

    left: Float[Array, "rows count"]
    values: Float[Array, " count"]
    axes: Float[Array, "columns count"]

    @classmethod
    def of(cls, matrix: LinearOperator, count: int, *, iterations: int) -> Self:
        """Return the leading part of a matrix, which ``iterations`` sharpen.

        scikit-learn's randomized_svd needs the matrix itself. The random start is drawn over columns rather than rows,
        so that the result does not depend on the order of the rows.
        """
        count = min(count, *matrix.shape)
        basis = _start(matrix.shape[1], count)
        for _ in range(iterations):
            basis = _orthonormal(matrix.rmatmat(_orthonormal(matrix @ basis)))
        basis = _orthonormal(matrix @ basis)
        axes, values, rotation = scipy.linalg.svd(matrix.rmatmat(basis), full_matrices=False)
        return cls(basis @ rotation.T[:, :count], values[:count], axes[:, :count])


def leading_coordinates(
    rows: Float[Array, "rows columns"], count: int, *, iterations: int
) -> Float[Array, "rows count"]:
    """Return ``left * values`` of the leading part of a dense matrix with fewer rows than columns.

    It is that of :meth:`Decomposition.of`, but the iterations multiply by the matrix of the rows' inner products, which
    is small.
    """
    count = min(count, *rows.shape)
    inner = (rows @ rows.T).astype(np.float64)
    basis = _orthonormal(rows @ _start(rows.shape[1], count))
    for _ in range(iterations):
        basis = _orthonormal(inner @ basis)
    squares, rotation = np.linalg.eigh(basis.T @ inner @ basis)
    leading = slice(-1, -count - 1, -1)
    return np.asarray(basis @ rotation[:, leading] * np.sqrt(np.maximum(squares[leading], 0.0)))


@cache
def _start(columns: int, count: int) -> Float[Array, "columns start"]:
    """Random directions, the same for every matrix of this width."""
    return np.asarray(check_random_state(0).normal(size=(columns, count + OVERSAMPLING)), dtype=np.float32)


def _orthonormal(vectors: Float[Array, "rows count"]) -> Float[Array, "rows count"]:
    return np.asarray(scipy.linalg.qr(vectors, mode="economic")[0])
