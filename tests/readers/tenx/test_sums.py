"""Summing barcodes into spots equals the brute-force sum, whatever the order and size of blocks."""

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from bundles.tenx import H5Variant, Matrix, write_h5
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import sparse

from spacrd_core.errors import CountsError
from spacrd_readers.tenx.genes import choose_genes
from spacrd_readers.tenx.matrix import open_matrix
from spacrd_readers.tenx.sums import sum_counts

KINDS = ("Gene Expression", "Gene Expression", "Antibody Capture", "Gene Expression")


def summed(path: Path, groups: Any, spots: int) -> sparse.csr_matrix:
    with open_matrix(path) as matrix:
        genes = choose_genes(matrix.features, "", path)
        return sum_counts(matrix, np.asarray(groups, dtype=np.int32), spots, genes)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10**6), barcodes=st.integers(1, 40), spots=st.integers(1, 6), most=st.integers(1, 30))
def test_sums_equal_brute_force(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int, barcodes: int, spots: int, most: int
) -> None:
    monkeypatch.setattr("spacrd_readers.tenx.blocks.column_ranges.__defaults__", (most,))
    rng = np.random.default_rng(seed)
    counts = rng.poisson(0.7, (barcodes, 4))
    groups = rng.integers(-1, spots, barcodes)
    names = ["A", "B", "P", "D"]
    path = write_h5(tmp_path / "m.h5", Matrix(counts, [f"B{n}" for n in range(barcodes)], names, names, KINDS))
    expected = np.zeros((spots, 4), dtype=int)
    np.add.at(expected, groups[groups >= 0], counts[groups >= 0])
    sums = summed(path, groups, spots)
    assert sums.dtype == np.int32
    assert sums.has_canonical_format
    np.testing.assert_array_equal(sums.toarray(), expected[:, [0, 1, 3]])


@pytest.mark.parametrize(("value", "shown"), [(1.5, "1.5"), (-2.0, "-2"), (np.nan, "nan"), (3e9, "3e+09")])
def test_what_is_not_count_is_named_with_its_place(tmp_path: Path, value: float, shown: str) -> None:
    counts = np.array([[1.0, 0.0], [0.0, value]])
    variant = H5Variant(data="float64")
    path = write_h5(tmp_path / "m.h5", Matrix(counts, ["AA-1", "CC-1"], ["A", "B"], ["E1", "E2"], variant=variant))
    with pytest.raises(CountsError) as caught:
        summed(path, [0, 1], 2)
    assert f"{path} holds no raw counts: {shown} at spot CC-1, gene B" in str(caught.value)


def test_a_matrix_without_counts_gives_empty_spots(tmp_path: Path) -> None:
    path = write_h5(tmp_path / "m.h5", Matrix(np.zeros((2, 2), dtype=int), ["A-1", "B-1"], ["A", "B"], ["E1", "E2"]))
    assert summed(path, [0, 1], 3).toarray().tolist() == [[0, 0]] * 3


@pytest.mark.parametrize("beyond", [2, -1])
def test_counts_of_features_that_are_not_there_are_reported(tmp_path: Path, beyond: int) -> None:
    path = write_h5(tmp_path / "m.h5", Matrix(np.ones((2, 2), dtype=int), ["A-1", "B-1"], ["A", "B"], ["E1", "E2"]))
    with h5py.File(path, "a") as file:
        file["matrix/indices"][0] = beyond
    with pytest.raises(CountsError) as caught:
        summed(path, [0, 1], 2)
    assert f"{path} is damaged: it has counts beyond its 2 features" in str(caught.value)
