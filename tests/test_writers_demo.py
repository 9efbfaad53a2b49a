"""Result files of a Visium and a Xenium section, read with the tools of users."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from opened import ResultFiles, assert_consistent, verified_names
from PIL import Image
from scipy.spatial import KDTree

from spacrd_cli.main import run
from spacrd_core.demo.cohort import write_demo_cohort
from spacrd_core.results.result import LABEL_NAMES

SECTIONS = {"S2": "visium", "S3": "xenium"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The synthetic cohort, and the result files of its second and third section, called from genes."""
    folder = tmp_path_factory.mktemp("demo")
    cohort = write_demo_cohort(folder / "cohort", platforms=("st", "visium", "xenium"))
    assert run(["ingest", f"{folder}/store", "--cohort", str(cohort), "--no-image", "-q"]) == 0
    train_options = ["--encoder", "none", "--head", "linear", "--seeds", "1", "--section", "S1", "-q"]
    assert run(["train", f"{folder}/store", "-o", f"{folder}/detector", *train_options]) == 0
    detect_options = ["--section", "S2", "--section", "S3", "-o", f"{folder}/results", "-q"]
    assert run(["detect", f"{folder}/store", f"{folder}/detector", *detect_options]) == 0
    return folder


def test_every_file_is_in_the_manifest_and_each_platform_has_its_own(folder: Path) -> None:
    names = verified_names(folder / "results")
    common = {"spots.csv", "h5ad", "geojson", "png", "genes.csv"}
    assert names == {
        *(f"{section}.{suffix}" for section in SECTIONS for suffix in common),
        *("S2.loupe.csv", "S3.cell_groups.csv", "report.html", "spacrd_mqc.json"),
    }


@pytest.mark.parametrize("section", SECTIONS)
def test_the_table_anndata_and_qupath_have_the_same_calls(folder: Path, section: str) -> None:
    files = ResultFiles(folder / "results", section)
    assert_consistent(files)
    assert files.adata.uns["spacrd"]["platform"] == SECTIONS[section]


def test_loupe_has_the_barcodes_of_the_run(folder: Path) -> None:
    files = ResultFiles(folder / "results", "S2")
    table = pd.read_csv(files.file("loupe.csv"), index_col="Barcode")
    positions = next((folder / "cohort").rglob("tissue_positions*.csv"))
    run_barcodes = pd.read_csv(positions, header=None)[0]
    assert {*table.index} <= {*run_barcodes}
    assert table["SpaCRD"].tolist() == files.spots.loc[table.index, "label"].map(LABEL_NAMES).tolist()


def test_explorer_has_the_cells_of_the_bundle(folder: Path) -> None:
    files = ResultFiles(folder / "results", "S3")
    table = pd.read_csv(files.file("cell_groups.csv"))
    cells = pd.read_parquet(next((folder / "cohort").rglob("*cells.parquet"))).set_index("cell_id")
    spots = files.spots
    distance, spot = KDTree(spots[["x_um", "y_um"]]).query(cells[["x_centroid", "y_centroid"]], p=np.inf)
    assert distance.max() <= 50  # all cells of the demo are inside called spots of 100 um
    expected = dict(zip(cells.index, spots["label"].map(LABEL_NAMES).iloc[spot], strict=True))
    assert len({*expected.values()}) > 1
    assert dict(zip(table["cell_id"], table["group"], strict=True)) == expected
    assert table["color"].str.fullmatch("#[0-9a-f]{6}").all()


@pytest.mark.parametrize("section", SECTIONS)
def test_the_picture_of_a_section_without_an_image_is_on_white_and_described_so(folder: Path, section: str) -> None:
    with Image.open(ResultFiles(folder / "results", section).file("png")) as picture:
        pixels = np.asarray(picture.convert("RGB"))
        assert picture.info["Description"].endswith("without an image")
    assert (pixels == 255).all(axis=-1).mean() > 0.2


def test_the_report_compares_labels_with_calls_but_not_in_sections_that_the_detector_was_trained_on(
    folder: Path, tmp_path: Path
) -> None:
    command = [f"{folder}/store", f"{folder}/detector", "--section", "S1", "-q"]
    assert run(["detect", *command]) == 0
    assert run(["report", *command, "-o", str(tmp_path / "trained.html")]) == 0
    assert "<p>Not counted: the detector was trained on this section" in (tmp_path / "trained.html").read_text()
    report = (folder / "results" / "report.html").read_text()
    assert "2 labelled sections of 2 patients that the detector was not trained on: mean AUC 0.9" in report
    assert report.count("The detector was not trained on this patient.") == 2
    assert "called by detector <b>detector</b>, which reads genes alone" in report
