"""Visium files of the demo: the folder of a Space Ranger run, an image, and labels exported from Loupe."""

import json
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
import tifffile
from PIL import Image

from spacrd_core.demo.cohort import UM_PER_PX
from spacrd_core.demo.genes import GENES
from spacrd_core.demo.tissue import TISSUE_CLASSES

Rows = dict[str, dict[str, str]]


@pytest.fixture
def outs(cohort: Path, rows: Rows) -> Path:
    return cohort.parent / rows["visium"]["path"]


@pytest.fixture
def positions(outs: Path) -> pd.DataFrame:
    return pd.read_csv(outs / "spatial/tissue_positions.csv", index_col="barcode")


def test_all_spots_of_the_capture_area_have_a_position_and_those_in_tissue_have_counts(
    outs: Path, positions: pd.DataFrame
) -> None:
    assert len(positions) == 4992
    assert positions.index.is_unique
    assert positions.index.str.fullmatch("[ACGT]{16}-1").all()
    with h5py.File(outs / "filtered_feature_bc_matrix.h5") as file:
        barcodes = [name.decode() for name in file["matrix/barcodes"]]
        assert tuple(file["matrix/shape"]) == (len(GENES), len(barcodes))
        assert [name.decode() for name in file["matrix/features/name"]] == list(GENES)
        assert all(name.startswith(b"ENSG") and len(name) == 15 for name in file["matrix/features/id"])
        assert file["matrix/data"].dtype == np.int32
    assert set(positions.index[positions.in_tissue == 1]) == set(barcodes)
    assert 250 < len(barcodes) < 500


def test_spots_in_a_row_are_100_um_apart_and_the_reported_diameter_is_65_um(
    outs: Path, positions: pd.DataFrame
) -> None:
    row = positions[positions.array_row == 40].sort_values("array_col")
    assert (np.diff(row.array_col) == 2).all()
    step = np.diff(row.pxl_col_in_fullres).mean()
    assert step * UM_PER_PX["visium"] == pytest.approx(100, rel=0.01)
    factors = json.loads((outs / "spatial/scalefactors_json.json").read_text())
    assert factors["spot_diameter_fullres"] * UM_PER_PX["visium"] == pytest.approx(65)


def test_the_previews_are_the_image_at_the_stated_scale(cohort: Path, rows: Rows, outs: Path) -> None:
    factors = json.loads((outs / "spatial/scalefactors_json.json").read_text())
    with tifffile.TiffFile(cohort.parent / rows["visium"]["image"]) as file:
        page = file.pages[0]
        assert isinstance(page, tifffile.TiffPage)
        assert page.is_tiled
        height, width, _ = file.series[0].shape
    for kind, longest in (("hires", 2000), ("lowres", 600)):
        with Image.open(outs / f"spatial/tissue_{kind}_image.png") as image:
            assert max(image.size) == longest
            assert image.size == pytest.approx(
                [side * factors[f"tissue_{kind}_scalef"] for side in (width, height)], abs=1
            )


def test_the_loupe_export_has_a_class_or_nothing_for_every_spot_in_tissue(
    cohort: Path, rows: Rows, positions: pd.DataFrame
) -> None:
    labels = pd.read_csv(cohort.parent / rows["visium"]["labels"], keep_default_na=False)
    assert list(labels.columns) == ["Barcode", "Pathology"]
    assert set(labels.Barcode) == set(positions.index[positions.in_tissue == 1])
    assert set(labels.Pathology) <= {*TISSUE_CLASSES, ""}
    assert (labels.Pathology == "invasive cancer").mean() > 0.15
