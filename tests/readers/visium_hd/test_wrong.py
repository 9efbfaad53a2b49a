"""Errors about Visium HD sections that are damaged, mixed up, or lack what is requested."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from bundles.tenx import Matrix, write_h5, write_probes
from bundles.tissue import Tissue
from bundles.visium_hd import HdRun

from spacrd_core.errors import SpacrdError
from spacrd_core.section.section import ImageInputs, Section
from spacrd_readers.visium_hd.reader import VisiumHd

RUN = HdRun(tissue=Tissue(size_um=(500.0, 400.0), square_um=(100.0, 100.0, 300.0, 300.0)))
LEVEL = "binned_outputs/square_008um"
POSITIONS, MATRIX = f"{LEVEL}/spatial/tissue_positions.parquet", f"{LEVEL}/filtered_feature_bc_matrix.h5"
SCALES = f"{LEVEL}/spatial/scalefactors_json.json"
COPY_AGAIN = "copy it again from the run"
MATRIX_HINT = "give the matrix of one bin size"
SAME_SECTION = "give the matrix and the positions of one section"


def read(path: Path, *, options: dict[str, Any] | None = None, **inputs: Any) -> Section:
    return VisiumHd(VisiumHd.Options(**(options or {}))).read(path, ImageInputs(**inputs))


def error(path: Path, *, options: dict[str, Any] | None = None, **inputs: Any) -> tuple[str, str]:
    """Return the message and the hint of the error that reading raises, with paths relative to the section."""
    with pytest.raises(SpacrdError) as caught:
        read(path, options=options, **inputs)
    return str(caught.value).replace(f"{path}/", "").replace(str(path), "RUN"), caught.value.hint


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return RUN.write(tmp_path_factory.mktemp("run"))


@pytest.fixture
def run(written: Path, tmp_path: Path) -> Path:
    """A copy that tests may damage."""
    return shutil.copytree(written, tmp_path / "run")


@pytest.mark.parametrize(
    ("options", "phrase", "hint"),
    [
        ({"bin_um": 4}, "RUN has no bins of 4 um, only of 8 um", "--set reader.bin_um=8"),
        ({"spot_um": 55}, "the nearest multiples: 48 and 56 um", "--set reader.spot_um=56"),
        ({"spot_um": 5}, "the nearest multiples: 8 um", "--set reader.spot_um=8"),
        ({"unit": "cell"}, "RUN has no cells (segmented_outputs)", "--set reader.unit=bin"),
        (
            {"spot_um": 800, "min_coverage": 0.9},
            "no spot of 800 um has 90% of its bins in tissue; the highest is 32%",
            "--set reader.min_coverage=X",
        ),
    ],
)
def test_options_that_a_run_cannot_satisfy_are_refused_with_an_alternative(
    written: Path, options: dict[str, Any], phrase: str, hint: str
) -> None:
    message, found_hint = error(written, options=options)
    assert phrase in message
    assert hint in found_hint


def test_a_missing_default_bin_size_is_refused_with_the_sizes_there_are(tmp_path: Path) -> None:
    path = replace(RUN, sizes=(2, 16)).write(tmp_path)
    message, hint = error(path)
    assert "RUN has no bins of 8 um, only of 2 and 16 um" in message
    assert "--set reader.bin_um=16" in hint


def test_cells_alone_are_not_bins(tmp_path: Path) -> None:
    path = replace(RUN, bins=False, cells=True).write(tmp_path)
    message, hint = error(path)
    assert "RUN has cells, but no bins" in message
    assert "--set reader.unit=cell" in hint


def test_an_alignment_is_refused(written: Path, tmp_path: Path) -> None:
    message, hint = error(written, alignment=tmp_path / "matrix.csv")
    assert "take no alignment" in message
    assert "--alignment" in hint


def test_a_matrix_of_probes_is_refused(run: Path) -> None:
    genes = [f"G{number}" for number in range(12)]
    probes = Matrix(np.ones((2, 12)), ["s_008um_00020_00020-1", "s_008um_00021_00020-1"], genes, genes)
    write_probes(run / MATRIX, probes)
    message, hint = error(run)
    assert f"{MATRIX} counts probes, not genes" in message
    assert "filtered_feature_bc_matrix.h5" in hint
    (run / MATRIX).rename(run / LEVEL / "raw_probe_bc_matrix.h5")
    assert error(run)[0] == (
        f"{LEVEL} has no matrix: none of filtered_feature_bc_matrix.h5, filtered_feature_bc_matrix, "
        "raw_feature_bc_matrix.h5, raw_feature_bc_matrix"
    )


@pytest.mark.parametrize(
    ("barcodes", "message"),
    [
        (
            ["AAACAAGTATCTCCCA-1"] * 2,
            "the barcode 'AAACAAGTATCTCCCA-1' of MATRIX is not named like s_008um_00301_00321-1",
        ),
        (
            ["s_008um_00020_00020-1", "s_008um_0002_000020-1"],
            "the barcode 's_008um_0002_000020-1' of MATRIX is not named like s_008um_00301_00321-1",
        ),
        (["s_008um_00020_00020-1", "s_016um_00020_00020-1"], "MATRIX has bins of 8 um and of 16 um"),
    ],
)
def test_barcodes_that_are_not_bins_of_one_size_are_named(run: Path, barcodes: list[str], message: str) -> None:
    write_matrix(run, barcodes)
    found, hint = error(run)
    assert message.replace("MATRIX", MATRIX) in found
    assert MATRIX_HINT in hint


def test_a_matrix_without_barcodes_is_refused(run: Path) -> None:
    write_matrix(run, [])
    message, hint = error(run)
    assert f"{MATRIX} has no barcodes" in message
    assert MATRIX_HINT in hint


def test_a_matrix_of_another_bin_size_is_refused(run: Path) -> None:
    write_matrix(run, ["s_002um_00020_00020-1"])
    message, hint = error(run)
    assert f"{MATRIX} has bins of 2 um, not of 8 um" in message
    assert SAME_SECTION in hint


def test_a_bin_named_twice_is_refused(run: Path) -> None:
    write_matrix(run, ["s_008um_00020_00020-1", "s_008um_00020_00020-2"])
    message, hint = error(run)
    assert f"{MATRIX} names a bin more than once" in message
    assert "one section" in hint


def test_a_matrix_of_another_section_joins_but_is_not_in_tissue(run: Path, tmp_path: Path) -> None:
    other = HdRun(tissue=Tissue(size_um=(800.0, 300.0), square_um=(100.0, 100.0, 200.0, 200.0)))
    shutil.copy(other.write(tmp_path / "other") / MATRIX, run / MATRIX)
    in_tissue, counted = RUN.in_tissue(8), other.in_tissue(8)
    rows, columns = (min(sides) for sides in zip(in_tissue.shape, counted.shape, strict=True))
    outside = counted.sum() - (in_tissue[:rows, :columns] & counted[:rows, :columns]).sum()
    message, hint = error(run)
    assert f"{MATRIX} and {POSITIONS} are from different sections" in message
    assert f"{outside} of {counted.sum()} bins with counts are not in tissue" in message
    assert SAME_SECTION in hint


def test_a_few_bins_out_of_tissue_are_left_out_and_reported(run: Path) -> None:
    names = RUN.names(8)[RUN.in_tissue(8)].tolist()
    write_matrix(run, [*names, "s_008um_00000_00000-1", "s_008um_09999_09999-1"])
    note = "bins of filtered_feature_bc_matrix.h5 that are not in tissue, left out: 2 (s_008um_00000_00000-1, ...)"
    section = read(run)
    assert note in section.notes
    assert section.sub_spots
    assert (section.sub_spots.spots[-2:] == -1).all()


def test_of_a_raw_matrix_the_bins_in_tissue_are_taken_and_reported(tmp_path: Path) -> None:
    section = read(replace(RUN, matrices=("raw",), seep=0.1).write(tmp_path))
    out = int((~RUN.in_tissue(8)).sum())
    assert f"bins of raw_feature_bc_matrix.h5 out of tissue, left out: {out}" in section.notes[-2]


@pytest.mark.parametrize(
    ("change", "message", "hint"),
    [
        (
            lambda table: table.drop(columns=["array_row", "in_tissue"]),
            f"the positions {POSITIONS} have no column in_tissue, array_row",
            COPY_AGAIN,
        ),
        (
            lambda table: table.assign(in_tissue=0),
            f"the positions {POSITIONS} have no bin in tissue",
            "tissue detection",
        ),
        (
            lambda table: table.assign(array_row=-1),
            f"the positions {POSITIONS} hold a bin without array row and column",
            COPY_AGAIN,
        ),
        (
            lambda table: table.assign(array_col=10**6),
            f"the positions {POSITIONS} hold a bin without array row and column",
            COPY_AGAIN,
        ),
        (
            lambda table: table.assign(array_col=pd.array([None] * len(table), dtype="Int32")),
            f"the positions {POSITIONS} hold a bin without array row and column",
            COPY_AGAIN,
        ),
        (
            lambda table: table.assign(pxl_row_in_fullres=np.nan),
            f"the positions {POSITIONS} do not locate the array: ",
            COPY_AGAIN,
        ),
        (
            lambda table: table.assign(pxl_row_in_fullres=7.0, pxl_col_in_fullres=7.0),
            f"the pixel positions in {POSITIONS} do not follow its rows and columns: they deviate by 0.0 px",
            COPY_AGAIN,
        ),
        (
            lambda table: table.assign(barcode=table["barcode"].str.replace("008um", "002um")),
            f"{POSITIONS} has bins of 2 um, not of 8 um",
            "copy the files of PATH/binned_outputs/square_008um again",
        ),
    ],
)
def test_positions_that_cannot_be_used_are_named(run: Path, change: Any, message: str, hint: str) -> None:
    change(pd.read_parquet(run / POSITIONS)).to_parquet(run / POSITIONS)
    found, found_hint = error(run)
    assert message in found
    assert hint.replace("PATH", str(run)) in found_hint


def test_px_that_do_not_follow_the_array_are_refused(run: Path) -> None:
    table = pd.read_parquet(run / POSITIONS)
    columns = ["pxl_row_in_fullres", "pxl_col_in_fullres"]
    table[columns] = table[columns].sample(frac=1, random_state=0).to_numpy()
    table.to_parquet(run / POSITIONS)
    message, hint = error(run)
    assert message.startswith(f"the pixel positions in {POSITIONS} do not follow its rows and columns: ")
    assert COPY_AGAIN in hint


def test_positions_that_are_broken_or_missing_are_named(run: Path) -> None:
    whole = (run / POSITIONS).read_bytes()
    (run / POSITIONS).write_bytes(whole[: len(whole) // 2])
    message, hint = error(run)
    assert message.startswith(f"the positions {POSITIONS} are not a parquet table: ")
    assert COPY_AGAIN in hint
    (run / POSITIONS).unlink()
    message, hint = error(run)
    assert f"{LEVEL} has no positions: none of tissue_positions.parquet" in message
    assert "copy it from the run" in hint


def test_scale_factors_of_another_bin_size_are_refused(run: Path) -> None:
    facts = json.loads((run / SCALES).read_text())
    (run / SCALES).write_text(json.dumps(facts | {"bin_size_um": 16.0}))
    assert error(run)[0] == f"{SCALES} has bins of 16 um, not of 8 um"


@pytest.mark.parametrize("name", ["GSM1_square_008um", "binned_outputs/GSM1_square_008um"])
def test_two_sections_in_one_folder_are_not_mixed(run: Path, name: str) -> None:
    shutil.copytree(run / LEVEL, run / name)
    message, hint = error(run)
    assert message.startswith("RUN is not a Visium HD section: it holds bins of 8 um twice, in ")
    assert message.count("square_008um") == 2
    assert hint == "give the folder of one of them"
    assert read(run / name, with_image=False).counts.n_obs


def test_files_of_two_sections_in_one_folder_are_not_mixed(run: Path) -> None:
    for name in ("GSM1", "GSM2"):
        shutil.copy(run / MATRIX, run / LEVEL / f"{name}_filtered_feature_bc_matrix.h5")
    (run / MATRIX).unlink()
    names = "GSM1_filtered_feature_bc_matrix.h5 and GSM2_filtered_feature_bc_matrix.h5"
    message, hint = error(run)
    assert f"{LEVEL} holds files of several sections: {names}" in message
    assert "separate folder" in hint


def test_what_is_not_visium_hd_is_not_recognised_and_reported(written: Path, tmp_path: Path) -> None:
    reader = VisiumHd(VisiumHd.Options())
    (tmp_path / "outs" / "spatial").mkdir(parents=True)
    (tmp_path / "outs" / "spatial" / "scalefactors_json.json").write_text('{"spot_diameter_fullres": 89.4}')
    for path, reason in {
        written / MATRIX: "it is a file: give its folder",
        tmp_path / "gone": "it does not exist",
        tmp_path: "it holds no folder like square_008um and no segmented_outputs",
        tmp_path / "outs": "it holds no folder like square_008um and no segmented_outputs",
    }.items():
        assert not reader.recognises(path)
        assert reader.recognises(path).reason == reason


def write_matrix(run: Path, barcodes: list[str]) -> None:
    tissue = RUN.tissue
    write_h5(run / MATRIX, Matrix(np.ones((len(barcodes), 12)), barcodes, tissue.symbols, tissue.ids))
