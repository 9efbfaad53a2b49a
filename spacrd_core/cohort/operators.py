"""Matrices that are given by their products alone, and are never dense."""

from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Float
from scipy.sparse.linalg import LinearOperator

from spacrd_core.arrays import Array
from spacrd_core.cohort.device_matrix import DeviceMatrix

Product = Callable[[Array], Array]


def linear_operator(shape: tuple[int, int], matmat: Product, rmatmat: Product) -> LinearOperator:
    """Return the linear operator with these matrix products, in single precision."""
    return LinearOperator(
        shape,
        matvec=lambda vector: matmat(vector.reshape(-1, 1)).ravel(),
        rmatvec=lambda vector: rmatmat(vector.reshape(-1, 1)).ravel(),
        matmat=matmat,
        rmatmat=rmatmat,
        dtype=np.float32,
    )


def dense_operator(values: Float[Array, "rows columns"] | DeviceMatrix) -> LinearOperator:
    """Return a dense matrix as a linear operator."""
    return linear_operator(values.shape, lambda right: values @ right, lambda left: values.T @ left)


def stacked(matrices: Sequence[LinearOperator]) -> LinearOperator:
    """Return matrices of equal width, one below the other."""
    ends = np.cumsum([matrix.shape[0] for matrix in matrices])

    def rmatmat(left: Array) -> Array:
        parts = zip(matrices, np.split(left, ends[:-1]), strict=True)
        return np.asarray(sum(matrix.rmatmat(part) for matrix, part in parts))

    shape = (int(ends[-1]), matrices[0].shape[1])
    return linear_operator(shape, lambda right: np.concatenate([matrix @ right for matrix in matrices]), rmatmat)


def column_means(matrix: LinearOperator) -> Float[Array, "columns 1"]:
    """Return the mean of every column."""
    rows = matrix.shape[0]
    return np.asarray(matrix.rmatmat(np.full((rows, 1), 1 / rows, dtype=np.float32)))


def centred(matrix: LinearOperator, means: Float[Array, "columns 1"]) -> LinearOperator:
    """Return a matrix less the means of its columns."""
    return linear_operator(
        matrix.shape,
        lambda right: matrix @ right - means.T @ right,
        lambda left: matrix.rmatmat(left) - means * left.sum(axis=0),
    )
