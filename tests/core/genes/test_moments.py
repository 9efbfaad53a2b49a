"""Means and mean squares of genes, of a sparse matrix in one pass."""

import numpy as np
import pytest
from scipy import sparse

from spacrd_core.genes import moments
from spacrd_core.genes.moments import Moments


@pytest.mark.parametrize("block", [7, 1 << 20])
def test_they_are_those_of_the_dense_matrix(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moments, "BLOCK", block)
    values = sparse.random(30, 12, density=0.3, format="csr", random_state=0, dtype=np.float32)
    found, dense = Moments.of(values), values.toarray().astype(np.float64)
    assert found.mean == pytest.approx(dense.mean(axis=0))
    assert found.mean_square == pytest.approx(np.square(dense).mean(axis=0))
    assert found.variance == pytest.approx(dense.var(axis=0), abs=1e-12)
    assert found.select(np.array([3, 1])).mean == pytest.approx(dense.mean(axis=0)[[3, 1]])


def test_a_matrix_of_one_value_has_no_variance() -> None:
    assert not Moments.of(sparse.csr_matrix(np.full((5, 2), 0.1, dtype=np.float32))).variance.any()
