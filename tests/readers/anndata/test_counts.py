"""The matrix that is read is the first with raw counts, detected by its values."""

from pathlib import Path
from typing import Any

import anndata as ad
import h5py
import numpy as np
import pytest
from bundles.anndata_file import tissue_object, write_anndata
from hypothesis import given as given_any
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy
from scipy import sparse

from spacrd_core.errors import ConfigError, CountsError, InputError
from spacrd_core.section.section import ImageInputs, Section
from spacrd_readers.anndata import matrix
from spacrd_readers.anndata.file import AnnDataFile
from spacrd_readers.anndata.matrix import load_counts
from spacrd_readers.anndata.reader import AnnData

RAW = tissue_object(picture=False)
COUNTS = RAW.X.toarray().astype(int)
LOGGED = np.log1p(RAW.X)


def read(path: Path, counts: str = "", **options: Any) -> Section:
    return AnnData(AnnData.Options(counts=counts, **options)).read(path, ImageInputs(with_image=False))


def write(tmp_path: Path, **matrices: Any) -> Path:
    adata = RAW.copy()
    adata.X = matrices.pop("X", None)
    raw = matrices.pop("raw", None)
    if raw is not None:
        adata.raw = ad.AnnData(raw, obs=RAW.obs, var=RAW.var)
    for name, values in matrices.items():
        adata.layers[name] = values
    return write_anndata(adata, tmp_path / "S1.h5ad")


@pytest.mark.ci_cases(6)
@pytest.mark.parametrize("kind", [sparse.csr_matrix, sparse.csc_matrix, sparse.csr_array, np.asarray])
@pytest.mark.parametrize("dtype", ["float64", "float32", "int64", "uint16", "uint8"])
def test_counts_of_any_storage_become_sparse_int32(tmp_path: Path, kind: Any, dtype: str) -> None:
    counts = read(write(tmp_path, X=kind(COUNTS.astype(dtype)))).counts.X
    assert (counts.format, counts.dtype) == ("csr", np.int32)
    np.testing.assert_array_equal(counts.toarray(), COUNTS)


@pytest.mark.parametrize("kind", [sparse.csr_matrix, sparse.csc_matrix, np.asarray])
def test_blocks_and_left_out_spots_change_no_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: Any) -> None:
    monkeypatch.setattr(matrix, "BLOCK_VALUES", 100)
    adata = RAW.copy()
    adata.X = kind(COUNTS.astype("float32"))
    adata.obs["in_tissue"] = (np.arange(adata.n_obs) % 5 > 1).astype(int)
    adata.obs.iloc[:300, 0] = 0
    counts = read(write_anndata(adata, tmp_path / "S1.h5ad")).counts.X
    np.testing.assert_array_equal(counts.toarray(), COUNTS[adata.obs["in_tissue"] == 1])


@pytest.mark.parametrize(
    ("matrices", "note"),
    [
        ({"X": COUNTS}, None),
        ({"X": LOGGED, "counts": COUNTS}, "from layers['counts']"),
        ({"X": LOGGED, "raw_counts": COUNTS}, "from layers['raw_counts']"),
        ({"X": COUNTS, "counts": LOGGED}, None),
        (
            {"X": LOGGED, "raw": RAW.X},
            "from raw.X: X looks log-normalised (it has {0:.3g})",
        ),
        ({"raw": RAW.X}, "from raw.X"),
        ({"X": LOGGED, "Raw Counts": COUNTS}, "from layers['Raw Counts']: X looks log-normalised (it has {0:.3g})"),
        (
            {"X": LOGGED, "UMIs": COUNTS, "smoothed": COUNTS * 2},
            "from layers['UMIs']: X looks log-normalised (it has {0:.3g})",
        ),
    ],
)
def test_the_first_matrix_with_raw_counts_is_read_and_noted(tmp_path: Path, matrices: Any, note: str | None) -> None:
    section = read(write(tmp_path, **matrices))
    np.testing.assert_array_equal(section.counts.X.toarray(), COUNTS)
    assert len(section.notes) == (note is not None)
    assert not note or section.notes[0].endswith(note.format(LOGGED.data[0]))


def test_raw_counts_bring_the_genes_they_are_of(tmp_path: Path) -> None:
    adata = RAW[:, 3:].copy()
    adata.raw = RAW
    adata.X = np.log1p(adata.X)
    section = read(write_anndata(adata, tmp_path / "S1.h5ad"))
    assert list(section.counts.var_names) == list(RAW.var_names)
    np.testing.assert_array_equal(section.counts.X.toarray(), COUNTS)


def test_the_users_choice_of_matrix_wins_and_is_not_guessed_at(tmp_path: Path) -> None:
    path = write(tmp_path, X=COUNTS, counts=COUNTS * 2, spliced=COUNTS * 3, raw=sparse.csr_matrix(COUNTS * 4))
    for name, times in {"X": 1, "counts": 2, "spliced": 3, "raw": 4, "raw.X": 4}.items():
        np.testing.assert_array_equal(read(path, counts=name).counts.X.toarray(), COUNTS * times)
    with pytest.raises(ConfigError) as caught:
        read(path, counts="umi")
    assert f"{path} has no layer 'umi'" in str(caught.value)
    assert "counts, spliced" in str(caught.value)
    assert "--set reader.counts=NAME" in caught.value.hint


def test_the_error_without_raw_counts_describes_each_matrix(tmp_path: Path) -> None:
    scaled = COUNTS - COUNTS.mean(axis=0)
    path = write(tmp_path, X=scaled, counts=LOGGED, raw=sparse.csr_matrix(COUNTS / COUNTS.sum(axis=1, keepdims=True)))
    with pytest.raises(CountsError) as caught:
        read(path)
    share = COUNTS[0, 0] / COUNTS[0].sum()
    assert f"{path} holds no raw counts" in str(caught.value)
    for phrase in (
        f"layers['counts'] looks log-normalised (it has {LOGGED.data[0]:.3g})",
        f"X looks scaled (down to {scaled.min():.3g})",
        f"raw.X looks like fractions (it has {share:.3g})",
    ):
        assert phrase in str(caught.value)
    assert "layers['counts']" in caught.value.hint


@pytest.mark.parametrize(
    ("matrix", "phrase"),
    [
        (np.where(COUNTS > 3, np.nan, COUNTS), "X has values that are not finite"),
        (COUNTS * 12.25, f"X looks normalised (it has {(COUNTS * 12.25)[(COUNTS * 12.25) % 1 > 0][0]:.3g})"),
        (COUNTS + 2.0**31, f"X has {COUNTS[0, 0] + 2**31}, too large"),
        (COUNTS * 0, "X holds only zeros"),
        (COUNTS > 2, "X holds bool values"),
        (None, "it has no matrix"),
    ],
)
def test_values_that_are_not_counts_are_described(tmp_path: Path, matrix: Any, phrase: str) -> None:
    path = write(tmp_path, X=matrix)
    with pytest.raises(CountsError) as caught:
        read(path)
    assert f"{path} holds no raw counts: {phrase}" in str(caught.value)


def test_only_the_chosen_matrix_is_read(tmp_path: Path) -> None:
    path = write(tmp_path, X=sparse.csr_matrix(COUNTS), counts=sparse.csr_matrix(COUNTS))
    with h5py.File(path, "r+") as file:
        del file["X/data"]
    np.testing.assert_array_equal(read(path).counts.X.toarray(), COUNTS)


@pytest.mark.parametrize(
    ("name", "value"), [("indices", 12), ("indices", -1), ("indptr", 10**6), ("indptr", -5), ("data", None)]
)
def test_a_matrix_whose_parts_do_not_fit_is_refused_as_damaged(tmp_path: Path, name: str, value: int | None) -> None:
    path = write(tmp_path, X=sparse.csr_matrix(COUNTS))
    with h5py.File(path, "r+") as file:
        if value is None:
            del file[f"X/{name}"]
        else:
            file[f"X/{name}"][3] = value
    with pytest.raises(InputError, match=r"S1\.h5ad cannot be read as AnnData: ") as caught:
        read(path)
    assert "copy or download it again" in caught.value.hint


def test_values_kept_twice_are_one_count(tmp_path: Path) -> None:
    path = write(tmp_path, X=sparse.csr_matrix(COUNTS))
    with h5py.File(path, "r+") as file:
        first = file["X/indices"][0]
        value = file["X/data"][:2].sum()
        file["X/indices"][1] = first
    assert read(path).counts.X[0, first] == value


@settings(max_examples=60, deadline=None)
@given_any(
    st_numpy.arrays(
        st.sampled_from([np.float32, np.int64]),
        st.tuples(st.integers(1, 6), st.integers(1, 5)),
        elements=st.one_of(st.integers(0, 2**24), st.just(0)),
    ),
    st.sampled_from(["dense", "csr_matrix", "csc_matrix"]),
    st.data(),
)
def test_any_whole_numbers_come_back_as_they_were(values: Any, kind: str, data: st.DataObject) -> None:
    rows = np.array(sorted(data.draw(st.sets(st.integers(0, len(values) - 1), min_size=1))))
    with h5py.File.in_memory() as file:
        ad.io.write_elem(file, "X", values if kind == "dense" else getattr(sparse, kind)(values))
        opened = AnnDataFile(Path("in memory"), file)
        if not values[rows].any():
            with pytest.raises(CountsError, match="only zeros"):
                load_counts(opened, "X", rows, spots=len(values))
            return
        np.testing.assert_array_equal(load_counts(opened, "X", rows, spots=len(values)).toarray(), values[rows])
