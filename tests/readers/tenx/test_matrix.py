"""Every format and variant of a 10x matrix gives the same counts, names and genes."""

import gzip
import shutil
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from bundles.tenx import H5Variant, Matrix, write_h5, write_h5_by_genome, write_mex, write_probes, write_zarr
from scipy import sparse
from stand_ins.pickled import write_pickled_array

from spacrd_core.errors import CountsError, MissingFile
from spacrd_readers.tenx.h5 import first_barcode
from spacrd_readers.tenx.matrix import open_matrix
from spacrd_readers.tenx.mex import is_mex_folder

COUNTS = np.array([[1, 0, 2, 0], [0, 0, 0, 0], [0, 3, 0, 4], [5, 0, 0, 6], [0, 0, 7, 0]])
BARCODES = [f"AAAC{letter}-1" for letter in "ACGTN"]


@pytest.fixture
def matrix() -> Matrix:
    return Matrix(COUNTS, BARCODES, ["A", "B", "C", "D"], [f"ENSG{n:011d}" for n in range(4)])


def dense(path: Path) -> tuple[list[bytes], np.ndarray[Any, Any], Any]:
    """Return barcodes, counts and features as a matrix file gives them."""
    with open_matrix(path) as matrix:
        total = np.zeros((len(matrix.barcodes), len(matrix.features)))
        for block in matrix.blocks():
            np.add.at(total, (block.barcodes, block.features), block.values)
        return matrix.barcodes.tolist(), total, matrix.features


@pytest.mark.ci_cases(12)
@pytest.mark.parametrize("attributes", ["absent", "bytes", "str", "arrays"])
@pytest.mark.parametrize("data", ["int32", "int64", "float64"])
@pytest.mark.parametrize("indices", ["int32", "int64", "uint32"])
@pytest.mark.parametrize("strings", ["fixed", "variable"])
def test_hdf5_reads_the_same_whatever_its_attributes_and_number_types(
    tmp_path: Path, matrix: Matrix, attributes: Any, data: str, indices: str, strings: Any
) -> None:
    variant = H5Variant(attributes, data, indices, strings)
    barcodes, counts, features = dense(write_h5(tmp_path / "m.h5", replace(matrix, variant=variant)))
    assert barcodes == [name.encode() for name in BARCODES]
    np.testing.assert_array_equal(counts, COUNTS)
    assert list(features["symbol"]) == ["A", "B", "C", "D"]
    assert set(features["genome"]) == {"GRCh38"}


@pytest.mark.parametrize("packed", [True, False])
def test_market_exchange_folders_read_gzipped_or_not(tmp_path: Path, matrix: Matrix, *, packed: bool) -> None:
    barcodes, counts, features = dense(write_mex(tmp_path / "m", matrix, packed=packed))
    assert barcodes == [name.encode() for name in BARCODES]
    np.testing.assert_array_equal(counts, COUNTS)
    assert list(features["id"]) == [f"ENSG{n:011d}" for n in range(4)]


def test_market_exchange_of_cell_ranger_2_has_two_columns_of_genes(tmp_path: Path, matrix: Matrix) -> None:
    folder = write_mex(tmp_path / "m", matrix, packed=False)
    (folder / "features.tsv").unlink()
    (folder / "genes.tsv").write_text("E1\tA\nE2\tB\nE3\tC\nE4\tD\n")
    assert list(dense(folder)[2]["symbol"]) == ["A", "B", "C", "D"]
    assert set(dense(folder)[2]["kind"]) == {"Gene Expression"}


def test_a_zarr_names_its_cells_by_letters(tmp_path: Path, matrix: Matrix) -> None:
    ids = [[1, 1], [1437536272, 1], [0, 1], [16, 2], [4294967295, 1]]
    barcodes, counts, _ = dense(write_zarr(tmp_path / "cell_feature_matrix.zarr.zip", matrix, ids))
    assert barcodes == [b"aaaaaaab-1", b"ffkpbaba-1", b"aaaaaaaa-1", b"aaaaaaba-2", b"pppppppp-1"]
    np.testing.assert_array_equal(counts, COUNTS)


def test_an_early_zarr_names_its_cells_by_integers(tmp_path: Path, matrix: Matrix) -> None:
    path = write_zarr(tmp_path / "cell_feature_matrix.zarr.zip", matrix, [1, 2, 3, 4, 5])
    assert dense(path)[0] == [b"1", b"2", b"3", b"4", b"5"]


def test_a_zarr_whose_values_are_pickled_is_refused_and_runs_nothing(
    tmp_path: Path, matrix: Matrix, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("numcodecs.pickles.ALLOW_UNSAFE_PICKLE_DECODE", True, raising=False)
    folder = tmp_path / "cell_feature_matrix.zarr"
    with zipfile.ZipFile(write_zarr(tmp_path / "m.zarr.zip", matrix, [1, 2, 3, 4, 5])) as archive:
        archive.extractall(folder)
    shutil.rmtree(folder / "cell_features" / "indptr")
    write_pickled_array(folder / "cell_features" / "indptr", tmp_path / "it ran", shape=(5,))
    with pytest.raises(CountsError, match="indptr holds pickled values"), open_matrix(folder):
        pass
    assert not (tmp_path / "it ran").exists()


def test_the_groups_of_several_genomes_are_one_matrix(tmp_path: Path, matrix: Matrix) -> None:
    mouse = Matrix([[9]], [BARCODES[2]], ["Erbb2"], ["ENSMUSG00000000001"])
    _, counts, features = dense(write_h5_by_genome(tmp_path / "m.h5", {"hg19": matrix, "mm10": mouse}))
    assert list(features["genome"]) == ["hg19"] * 4 + ["mm10"]
    order = np.argsort(BARCODES)
    np.testing.assert_array_equal(counts[:, :4], COUNTS[order])
    assert counts[:, 4].sum() == counts[list(order).index(2), 4] == 9


def test_blocks_are_small_and_together_everything(
    tmp_path: Path, matrix: Matrix, monkeypatch: pytest.MonkeyPatch
) -> None:
    random = sparse.random(60, 4, 0.5, random_state=0, data_rvs=lambda n: np.arange(1, n + 1)).toarray()
    many = Matrix(random, [f"B{n}" for n in range(60)], matrix.symbols, matrix.ids)
    monkeypatch.setattr("spacrd_readers.tenx.blocks.column_ranges.__defaults__", (10,))
    with open_matrix(write_h5(tmp_path / "m.h5", many)) as opened:
        sizes = [len(block.values) for block in opened.blocks()]
    assert max(sizes) <= 10
    assert sum(sizes) == 120
    np.testing.assert_array_equal(dense(tmp_path / "m.h5")[1], random)


def test_a_matrix_of_probes_is_refused(tmp_path: Path, matrix: Matrix) -> None:
    path = write_probes(tmp_path / "raw_probe_bc_matrix.h5", matrix)
    with pytest.raises(CountsError) as caught, open_matrix(path):
        pass
    assert f"{path} counts probes, not genes" in str(caught.value)
    assert "filtered_feature_bc_matrix.h5" in caught.value.hint


def test_the_real_matrix_of_probes_is_refused(visium: Path) -> None:
    path = visium / "tiny_spaceranger1" / "visium_data" / "2.1.0" / "raw_probe_bc_matrix.h5"
    with pytest.raises(CountsError, match="counts probes, not genes"), open_matrix(path):
        pass


def test_what_is_not_matrix_is_reported(tmp_path: Path) -> None:
    with pytest.raises(MissingFile, match="does not exist"), open_matrix(tmp_path / "absent.h5"):
        pass
    (tmp_path / "noise.h5").write_bytes(b"noise")
    with pytest.raises(CountsError, match=r"noise.h5 is not a readable HDF5 file"), open_matrix(tmp_path / "noise.h5"):
        pass
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["weights"] = [1, 2]
    with (
        pytest.raises(CountsError, match=r"other.h5 is not a 10x matrix \(it holds weights\)"),
        open_matrix(tmp_path / "other.h5"),
    ):
        pass
    (tmp_path / "x.zarr.zip").write_bytes(b"noise")
    with pytest.raises(CountsError, match="is not a readable zip file"), open_matrix(tmp_path / "x.zarr.zip"):
        pass
    (tmp_path / "empty").mkdir()
    with pytest.raises(MissingFile, match=r"has no barcodes.tsv"), open_matrix(tmp_path / "empty"):
        pass


def test_a_truncated_hdf5_file_is_reported(tmp_path: Path, matrix: Matrix) -> None:
    path = write_h5(tmp_path / "m.h5", matrix)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(CountsError, match=r"m.h5"):
        dense(path)


def test_arrays_that_do_not_fit_are_reported(tmp_path: Path, matrix: Matrix) -> None:
    path = write_h5(tmp_path / "m.h5", matrix)
    with h5py.File(path, "a") as file:
        del file["matrix/data"]
        file["matrix/data"] = [1, 2]
    with pytest.raises(CountsError, match=r"m.h5 is damaged: its arrays differ in length"), open_matrix(path):
        pass


def test_a_truncated_market_exchange_file_is_reported(tmp_path: Path, matrix: Matrix) -> None:
    folder = write_mex(tmp_path / "m", matrix)
    text = gzip.decompress((folder / "matrix.mtx.gz").read_bytes()).decode().splitlines()
    (folder / "matrix.mtx.gz").write_bytes(gzip.compress("\n".join(text[:-2]).encode()))
    with pytest.raises(CountsError, match=r"matrix.mtx.gz declares 7 counts and holds 5"):
        dense(folder)


def test_market_exchange_files_of_two_matrices_are_reported(tmp_path: Path, matrix: Matrix) -> None:
    folder = write_mex(tmp_path / "m", matrix, packed=False)
    (folder / "barcodes.tsv").write_text("AAAC-1\n")
    with pytest.raises(CountsError, match="is 4 x 5, but there are 4 features and 1 barcodes"):
        dense(folder)


def test_a_line_that_is_cut_short_is_reported(tmp_path: Path, matrix: Matrix) -> None:
    folder = write_mex(tmp_path / "m", matrix, packed=False)
    text = (folder / "matrix.mtx").read_text()
    (folder / "matrix.mtx").write_text(text[:-3])
    with pytest.raises(CountsError, match=r"matrix.mtx is damaged: a line is truncated"):
        dense(folder)


def test_hidden_files_beside_a_market_exchange_matrix_are_passed_over(tmp_path: Path, matrix: Matrix) -> None:
    folder = write_mex(tmp_path / "mex", matrix)
    for file in [*folder.iterdir()]:
        file.rename(folder / f"GSM1_{file.name}")
        (folder / f"._GSM1_{file.name}").write_bytes(b"\0\5\x16\7")
    assert is_mex_folder(folder)
    np.testing.assert_array_equal(dense(folder)[1], COUNTS)
    np.testing.assert_array_equal(dense(folder / "GSM1_matrix.mtx.gz")[1], COUNTS)


def test_the_files_of_a_sample_have_its_prefix(tmp_path: Path, matrix: Matrix) -> None:
    write_mex(tmp_path, matrix, packed=False)
    (tmp_path / "matrix.mtx").rename(tmp_path / "GSM1_matrix.mtx")
    with pytest.raises(MissingFile, match=r"has no GSM1_barcodes\.tsv"):
        dense(tmp_path / "GSM1_matrix.mtx")


def test_the_first_barcode_is_read_of_matrices_of_genes_alone(tmp_path: Path, matrix: Matrix) -> None:
    assert first_barcode(write_h5(tmp_path / "a.h5", matrix)) == BARCODES[0]
    assert first_barcode(write_h5_by_genome(tmp_path / "b.h5", {"hg19": matrix})) == BARCODES[0]
    assert first_barcode(write_probes(tmp_path / "c.h5", matrix)) == ""
    assert first_barcode(write_h5(tmp_path / "d.h5", replace(matrix, counts=COUNTS[:0], barcodes=[]))) == ""
    (tmp_path / "e.h5").write_bytes((tmp_path / "a.h5").read_bytes()[:600])
    with h5py.File(tmp_path / "f.h5", "w") as file:
        file["matrix"] = [1]
    for path in (tmp_path / "e.h5", tmp_path / "f.h5", tmp_path / "none.h5", tmp_path):
        assert first_barcode(path) == ""
