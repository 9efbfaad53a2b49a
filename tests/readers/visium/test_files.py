"""Finding the files of a Visium section, and refusing folders of no section, of several, or of another assay."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from bundles.tenx import write_h5, write_probes
from bundles.visium import VisiumBundle

from spacrd_cli.main import run
from spacrd_core.errors import CountsError, MissingFile, UnrecognisedSection
from spacrd_core.plugins import Plugins
from spacrd_core.section.section import ImageInputs, Section
from spacrd_readers.visium.reader import Visium

BUNDLE = VisiumBundle(images=())


def read(path: Path, **options: Any) -> Section:
    return Visium(Visium.Options(**options)).read(path, ImageInputs(with_image=False))


def why(path: Path) -> str:
    recognition = Visium(Visium.Options()).recognises(path)
    assert bool(recognition) != bool(recognition.reason)
    return recognition.reason


def refused(path: Path) -> str:
    """Return why a path is refused; reading it must give the same reason."""
    reason = why(path)
    with pytest.raises(UnrecognisedSection) as caught:
        read(path)
    assert f"{path} is not a Visium section: {reason}" in str(caught.value)
    return reason


def test_the_files_of_a_sample_are_distinguished_from_those_of_others_in_one_folder(tmp_path: Path) -> None:
    deposition: dict[str, Any] = {"spatial": "", "positions": "tissue_positions_list.csv"}
    first = replace(BUNDLE, prefix="GSM1_A_", **deposition)
    second = replace(BUNDLE, prefix="GSM2_B_", pose=replace(BUNDLE.pose, um_per_px=1.0), **deposition)
    for bundle in (first, second):
        bundle.write(tmp_path)
    names = "GSM1_A_filtered_feature_bc_matrix.h5, GSM2_B_filtered_feature_bc_matrix.h5"
    assert f"it holds 2 matrices ({names})" in refused(tmp_path)
    section = read(tmp_path / "GSM2_B_filtered_feature_bc_matrix.h5")
    assert section.um_per_px == pytest.approx(1.0)
    assert {source.path.name[:7] for source in section.sources} == {"GSM2_B_"}


def test_a_file_with_the_name_of_the_sample_comes_before_a_plain_one(tmp_path: Path) -> None:
    bundle = replace(BUNDLE, prefix="GSM1_A_", spatial="")
    bundle.write(tmp_path)
    bundle.write_positions(tmp_path / "tissue_positions.csv", bundle.table.assign(in_tissue=0))
    assert read(tmp_path).sources[1].path.name == "GSM1_A_tissue_positions.csv"


LAYOUTS: dict[str, dict[str, Any]] = {
    "run": {"outs": True, "images": ("hires", "lowres", "full")},
    "outs": {"matrix": "mex.gz", "positions": "tissue_positions_list.csv", "header": False},
    "download": {"prefix": "V1_", "raw": True, "positions": "tissue_positions.parquet"},
    "deposition": {"prefix": "GSM1_A_", "spatial": "", "images": ("lowres",)},
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_no_other_reader_takes_a_visium_section_for_its_own(tmp_path: Path, plugins: Plugins, layout: str) -> None:
    folder = replace(BUNDLE, **LAYOUTS[layout]).write(tmp_path)
    if layout == "outs":
        for file in (folder / "filtered_feature_bc_matrix").iterdir():
            shutil.copy(file, folder)
    able = [card.name for card in plugins.readers if plugins.readers.create(card.name).recognises(folder)]
    assert able == ["visium"]


def test_the_positions_of_another_sample_are_not_taken(tmp_path: Path) -> None:
    replace(BUNDLE, prefix="GSM1_A_", spatial="").write(tmp_path)
    (tmp_path / "GSM1_A_tissue_positions.csv").rename(tmp_path / "GSM2_B_tissue_positions.csv")
    with pytest.raises(MissingFile) as caught:
        read(tmp_path)
    assert "which of GSM2_B_tissue_positions.csv belongs to the matrix GSM1_A_*" in str(caught.value)
    assert "separate folder" in caught.value.hint


def test_a_matrix_in_three_files_beside_its_positions_is_read(tmp_path: Path) -> None:
    for prefix in ("", "GSM1_A_"):
        folder = tmp_path / f"loose{prefix}"
        replace(BUNDLE, matrix="mex.gz").write(folder)
        for file in (folder / "filtered_feature_bc_matrix").iterdir():
            file.rename(folder / f"{prefix}{file.name}")
        (folder / "filtered_feature_bc_matrix").rmdir()
        np.testing.assert_array_equal(read(folder).counts.X.toarray(), BUNDLE.counts[BUNDLE.in_tissue])


def test_three_files_without_positions_are_another_assay(tmp_path: Path) -> None:
    replace(BUNDLE, matrix="mex.gz").write(tmp_path)
    inside = tmp_path / "filtered_feature_bc_matrix"
    for file in inside.iterdir():
        file.rename(tmp_path / "spatial" / file.name)
    inside.rmdir()
    (tmp_path / "spatial" / "tissue_positions.csv").unlink()
    assert refused(tmp_path / "spatial") == (
        "it holds no filtered_feature_bc_matrix or raw_feature_bc_matrix, .h5 or folder"
    )


def test_the_positions_may_lie_elsewhere(tmp_path: Path) -> None:
    replace(BUNDLE, outs=True).write(tmp_path / "run")
    moved = (tmp_path / "run" / "outs" / "spatial").rename(tmp_path / "elsewhere")
    with pytest.raises(MissingFile) as caught:
        read(tmp_path / "run")
    names = "tissue_positions.csv, tissue_positions_list.csv or tissue_positions.parquet"
    assert f"{tmp_path / 'run' / 'outs'} has no {names}" in str(caught.value)
    assert "--set reader.spatial=FOLDER" in caught.value.hint
    assert read(tmp_path / "run", spatial=moved).counts.n_obs == BUNDLE.in_tissue.sum()
    with pytest.raises(MissingFile, match="nowhere does not exist"):
        read(tmp_path / "run", spatial=tmp_path / "nowhere")


def test_an_archive_of_positions_is_to_be_unpacked(tmp_path: Path) -> None:
    replace(BUNDLE, prefix="V1_").write(tmp_path)
    (tmp_path / "V1_spatial").rename(tmp_path / "gone")
    (tmp_path / "V1_spatial.tar.gz").touch()
    with pytest.raises(MissingFile) as caught:
        read(tmp_path)
    assert caught.value.hint == "unpack V1_spatial.tar.gz"


def test_of_two_tables_of_positions_the_one_with_the_newer_name_is_read_and_reported(tmp_path: Path) -> None:
    BUNDLE.write(tmp_path)
    shifted = BUNDLE.table.assign(pxl_col_in_fullres=BUNDLE.table["pxl_col_in_fullres"] + 7)
    BUNDLE.write_positions(tmp_path / "spatial" / "tissue_positions_list.csv", shifted)
    section = read(tmp_path)
    (note,) = section.notes
    assert note.startswith("tissue_positions.csv was read; tissue_positions_list.csv")
    np.testing.assert_allclose(section.counts.obs["x_px"], BUNDLE.px[BUNDLE.in_tissue, 0])


@pytest.mark.parametrize("name", ["raw_probe_bc_matrix.h5", "V1_raw_probe_bc_matrix.h5"])
def test_a_probe_matrix_is_refused_by_name(tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_probes(tmp_path / name, BUNDLE.whole_matrix)
    for section in (tmp_path, path):
        with pytest.raises(CountsError) as caught:
            read(section)
        assert f"{path} counts probes, not genes" in str(caught.value)
        assert "filtered_feature_bc_matrix.h5" in caught.value.hint
    assert run(["ingest", str(tmp_path / "store"), str(tmp_path), "-q"]) == 1
    assert f"error: {path} counts probes, not genes" in capsys.readouterr().err


def test_a_matrix_of_probes_under_another_name_is_refused_too(tmp_path: Path) -> None:
    BUNDLE.write(tmp_path)
    path = tmp_path / "filtered_feature_bc_matrix.h5"
    path.unlink()
    write_probes(path, BUNDLE.whole_matrix)
    with pytest.raises(CountsError, match="counts probes, not genes"):
        read(tmp_path)


def test_bins_of_visium_hd_are_left_to_their_reader(tmp_path: Path) -> None:
    reason = "these are bins of Visium HD"
    replace(BUNDLE, scalefactors={"bin_size_um": 8.0}).write(tmp_path / "bins")
    assert refused(tmp_path / "bins") == reason
    assert refused(tmp_path / "bins" / "filtered_feature_bc_matrix.h5") == reason
    BUNDLE.write(tmp_path / "square_008um")
    assert refused(tmp_path / "square_008um") == reason
    named = replace(BUNDLE, barcode="s_008um_{}-1", counted="s_008um_{}-1", positions="tissue_positions.parquet")
    with pytest.raises(UnrecognisedSection, match=reason):
        read(named.write(tmp_path / "named"))


def test_other_files_and_folders_are_refused_with_the_reason(tmp_path: Path) -> None:
    wrong_name = "its name does not end in filtered_feature_bc_matrix.h5 or raw_feature_bc_matrix.h5"
    assert "it holds no filtered_feature_bc_matrix or raw_feature_bc_matrix" in refused(tmp_path)
    assert refused(tmp_path / "absent") == f"{tmp_path / 'absent'} does not exist"
    xenium = write_h5(tmp_path / "cell_feature_matrix.h5", BUNDLE.whole_matrix)
    assert f"it is a 10x matrix, but {tmp_path} has no spatial folder with positions" in refused(xenium)
    assert "it holds no" in refused(tmp_path)
    pd.DataFrame({"a": [1]}).to_csv(tmp_path / "counts.tsv")
    assert refused(tmp_path / "counts.tsv") == wrong_name


def test_a_broken_section_is_recognised_so_that_reading_it_reports_the_error(tmp_path: Path) -> None:
    BUNDLE.write(tmp_path)
    (tmp_path / "spatial" / "scalefactors_json.json").write_text(json.dumps({"bin_size_um": "x"}))
    assert why(tmp_path) == ""
