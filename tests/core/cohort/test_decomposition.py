"""The leading directions of an operator are those of the dense matrix."""

import numpy as np
import pytest

from spacrd_core.arrays import Array
from spacrd_core.cohort.decomposition import Decomposition, leading_coordinates
from spacrd_core.cohort.operators import centred, column_means, dense_operator, stacked


@pytest.fixture
def matrix() -> Array:
    """Sixty rows of which three directions vary much more than the rest."""
    rng = np.random.default_rng(0)
    strong = rng.normal(size=(60, 3)) * [9.0, 6.0, 4.0]
    return np.asarray(strong @ rng.normal(size=(3, 40)) + 0.1 * rng.normal(size=(60, 40)) + 2, dtype=np.float32)


def test_it_is_the_singular_value_decomposition(matrix: Array) -> None:
    leading = Decomposition.of(dense_operator(matrix), 3, iterations=7)
    left, values, axes = np.linalg.svd(matrix, full_matrices=False)
    assert leading.values == pytest.approx(values[:3], rel=1e-4)
    assert np.abs(np.sum(leading.axes * axes[:3].T, axis=0)) == pytest.approx(1, abs=1e-4)
    assert np.abs(np.sum(leading.left * left[:, :3], axis=0)) == pytest.approx(1, abs=1e-4)


def test_few_dense_rows_have_the_same_coordinates(matrix: Array) -> None:
    leading = Decomposition.of(dense_operator(matrix.T), 3, iterations=7)
    coordinates = leading_coordinates(matrix.T, 3, iterations=7)
    assert np.abs(coordinates) == pytest.approx(np.abs(leading.left * leading.values), abs=1e-3)
    assert leading_coordinates(matrix[:2], 5, iterations=1).shape == (2, 2)
    assert not leading_coordinates(np.zeros((4, 9), dtype=np.float32), 2, iterations=1).any()


def test_there_are_no_more_directions_than_rows_or_columns(matrix: Array) -> None:
    assert Decomposition.of(dense_operator(matrix[:2]), 5, iterations=1).values.shape == (2,)
    assert Decomposition.of(dense_operator(matrix[:, :4]), 5, iterations=1).axes.shape == (4, 4)


def test_the_order_of_the_rows_does_not_change_the_axes(matrix: Array) -> None:
    order = np.random.default_rng(1).permutation(len(matrix))
    one, other = (Decomposition.of(dense_operator(rows), 3, iterations=7) for rows in (matrix, matrix[order]))
    assert np.abs(np.sum(one.axes * other.axes, axis=0)) == pytest.approx(1, abs=1e-5)


def test_stacked_matrices_multiply_as_one(matrix: Array) -> None:
    both = stacked([dense_operator(matrix[:20]), dense_operator(matrix[20:])])
    right, left = matrix.T[:, :5], matrix[:, :5]
    assert both @ right == pytest.approx(matrix @ right, rel=1e-4)
    assert both.rmatmat(left) == pytest.approx(matrix.T @ left, rel=1e-4)


def test_a_centred_matrix_has_columns_with_mean_0(matrix: Array) -> None:
    operator = dense_operator(matrix)
    without_means = centred(operator, column_means(operator))
    dense = matrix - matrix.mean(axis=0)
    assert without_means @ np.eye(40, dtype=np.float32) == pytest.approx(dense, abs=1e-3)
    assert without_means.rmatmat(np.eye(60, dtype=np.float32)) == pytest.approx(dense.T, abs=1e-3)
