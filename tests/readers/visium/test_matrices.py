"""A Visium section whose matrix another tool has made, under any name, or that is given by the path of its matrix."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bundles.tenx import H5Variant, Matrix, write_h5, write_mex, write_probes
from bundles.visium import VisiumBundle

from spacrd_core.errors import CountsError, UnrecognisedSection
from spacrd_core.section.section import ImageInputs, Section
from spacrd_readers.visium.reader import Visium

BUNDLE = VisiumBundle(images=())
COUNTS = BUNDLE.counts[BUNDLE.in_tissue]


def read(path: Path, **options: Any) -> Section:
    return Visium(Visium.Options(**options)).read(path, ImageInputs(with_image=False))


def why(path: Path, **options: Any) -> str:
    return Visium(Visium.Options(**options)).recognises(path).reason


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run whose matrix was renamed, beside files of other kinds."""
    outs = BUNDLE.write(tmp_path / "outs")
    (outs / "filtered_feature_bc_matrix.h5").rename(outs / "cellbender_out_filtered.h5")
    (outs / "molecule_info.h5").write_bytes(b"\x89HDF\r\n\x1a\n")
    (outs / "._cellbender_out_filtered.h5").write_bytes(b"\0\5\x16\7")
    write_probes(outs / "raw_probe_bc_matrix.h5", BUNDLE.whole_matrix)
    return outs


def test_the_only_matrix_of_a_run_is_read_whatever_its_name(run: Path) -> None:
    for path in (run, run.parent):
        section = read(path)
        np.testing.assert_array_equal(section.counts.X.toarray(), COUNTS)
        assert section.notes == ("cellbender_out_filtered.h5 was read as the matrix of the run",)


def test_a_matrix_given_by_its_path_is_read_whatever_its_name(run: Path) -> None:
    shutil.copy(run / "cellbender_out_filtered.h5", run / "b.hdf5")
    assert why(run) == "it holds 2 matrices (b.hdf5, cellbender_out_filtered.h5): give the path of one"
    section = read(run / "b.hdf5")
    np.testing.assert_array_equal(section.counts.X.toarray(), COUNTS)
    assert (section.sources[0].path, section.notes) == (run / "b.hdf5", ())


def test_a_matrix_in_three_files_is_read_by_its_folder_or_its_own_path(run: Path) -> None:
    (run / "cellbender_out_filtered.h5").unlink()
    folder = write_mex(run / "spotclean", BUNDLE.whole_matrix)
    for path in (run, folder, folder / "matrix.mtx.gz"):
        section = read(path)
        np.testing.assert_array_equal(section.counts.X.toarray(), COUNTS)
        assert section.sources[0].path == folder


def test_the_three_files_of_one_of_several_samples_are_told_by_their_prefix(tmp_path: Path) -> None:
    for prefix, shift in {"GSM1_A_": 0, "GSM2_B_": 1}.items():
        bundle = replace(BUNDLE, prefix=prefix, spatial="", matrix="mex.gz")
        bundle.write(tmp_path)
        folder = tmp_path / f"{prefix}filtered_feature_bc_matrix"
        shutil.rmtree(folder)
        matrix = replace(BUNDLE.whole_matrix, counts=BUNDLE.whole_matrix.counts + shift)
        for file in write_mex(folder, matrix).iterdir():
            file.rename(tmp_path / f"{prefix}{file.name}")
        folder.rmdir()
    (tmp_path / "._GSM2_B_matrix.mtx.gz").write_bytes(b"\0")
    section = read(tmp_path / "GSM2_B_matrix.mtx.gz")
    np.testing.assert_array_equal(section.counts.X.toarray(), COUNTS + 1)
    assert {source.path.name[:7] for source in section.sources} == {"GSM2_B_"}


def test_a_matrix_far_from_its_positions_takes_their_folder_as_an_option(run: Path, tmp_path: Path) -> None:
    alone = tmp_path / "alone"
    alone.mkdir()
    shutil.copy(run / "cellbender_out_filtered.h5", alone / "x.h5")
    folder = write_mex(alone / "mex", BUNDLE.whole_matrix)
    for path in (alone / "x.h5", folder, folder / "matrix.mtx.gz"):
        if path != folder:
            assert "has no spatial folder with positions" in why(path)
            assert "--reader visium --set reader.spatial=FOLDER" in why(path)
        assert read(path, spatial=run / "spatial").counts.n_obs == len(COUNTS)


@pytest.mark.parametrize(
    ("barcode", "reason"),
    [
        ("s_008um_00301_00321-1", "these are bins of Visium HD"),
        ("cellid_000000001-1", "these are bins of Visium HD"),
        ("aaaaaaab-1", "not of spots (the first is named aaaaaaab-1)"),
    ],
)
def test_matrices_of_other_platforms_are_refused(run: Path, barcode: str, reason: str) -> None:
    path = write_h5(run / "other.h5", Matrix(np.ones((1, 1), dtype=int), [barcode], ["A"], ["E"]))
    assert reason in why(path)
    with pytest.raises(UnrecognisedSection):
        read(path)
    assert read(run).counts.n_obs == len(COUNTS)


def test_counts_with_decimals_are_rounded_on_request_alone(run: Path) -> None:
    matrix = BUNDLE.whole_matrix
    decimals = np.where(matrix.counts > 0, matrix.counts - 0.4, 0.3)
    variant = H5Variant(data="float64")
    path = write_h5(
        run / "spotclean.h5", Matrix(decimals, matrix.barcodes, matrix.symbols, matrix.ids, variant=variant)
    )
    with pytest.raises(CountsError, match="holds no raw counts") as caught:
        read(path)
    assert "SpotClean" in caught.value.hint
    assert "--set reader.round_counts=true" in caught.value.hint
    section = read(path, round_counts=True)
    np.testing.assert_array_equal(section.counts.X.toarray(), COUNTS)
    assert section.counts.X.nnz == np.count_nonzero(COUNTS)
    assert section.notes == ("counts with decimals were rounded, as requested",)


@pytest.mark.parametrize("name", ["tissue_positions.csv", "scalefactors_json.json"])
def test_files_that_links_as_text_lead_to_are_read(tmp_path: Path, name: str) -> None:
    BUNDLE.write(tmp_path / "run")
    spatial = tmp_path / "run" / "spatial"
    (spatial / name).rename(tmp_path / name)
    (spatial / name).write_text(f"../../{name}")
    assert read(tmp_path / "run").counts.n_obs == len(COUNTS)
    (tmp_path / name).unlink()
    with pytest.raises(Exception, match="a link that was copied as text"):
        read(tmp_path / "run")
