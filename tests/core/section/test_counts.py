"""Raw counts pass; normalised and rounded values are refused."""

from typing import Any

import numpy as np
import pytest
from scipy import sparse

from spacrd_core.errors import CountsError
from spacrd_core.section.counts import require_single_counts


def raw(genes: int = 2000, spots: int = 20, mean: float = 1.5) -> sparse.csr_matrix[Any]:
    rng = np.random.default_rng(0)
    return sparse.csr_matrix(rng.poisson(mean * rng.gamma(0.5, 2.0, (spots, genes))))


def per_million(counts: sparse.csr_matrix[Any]) -> sparse.csr_matrix[Any]:
    values = counts.toarray()
    return sparse.csr_matrix(np.rint(values / values.sum(axis=1, keepdims=True) * 1e6).astype(np.int64))


def test_raw_counts_of_many_genes_pass() -> None:
    require_single_counts(raw(), "A.tsv")


def test_counts_per_million_rounded_to_whole_numbers_are_refused() -> None:
    with pytest.raises(CountsError) as caught:
        require_single_counts(per_million(raw()), "A.tsv")
    assert "A.tsv holds no raw counts: 100% of the spots" in str(caught.value)
    assert "give the raw counts" in caught.value.hint


def test_a_small_panel_summed_over_large_spots_may_have_no_single_count() -> None:
    require_single_counts(sparse.csr_matrix(np.full((20, 300), 7)), "A.h5")


def test_empty_spots_and_empty_tables_pass() -> None:
    counts = raw().tolil()
    counts[[0, 7, 19]] = 0
    require_single_counts(sparse.csr_matrix(counts), "A.tsv")
    require_single_counts(sparse.csr_matrix((5, 1000), dtype=np.int64), "A.tsv")


def test_a_few_spots_without_a_single_count_pass() -> None:
    counts = sparse.csr_matrix(sparse.vstack([raw(), 2 * raw(spots=10)]))
    require_single_counts(counts, "A.tsv")
