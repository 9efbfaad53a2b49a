"""Xenium files of the demo: a bundle, an H&E rotated by 90 degrees, and the types of the cells."""

import json
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
import tifffile

from spacrd_core.demo.cohort import UM_PER_PX
from spacrd_core.demo.genes import PANEL

Row = dict[str, str]


@pytest.fixture
def row(rows: dict[str, Row]) -> Row:
    return rows["xenium"]


@pytest.fixture
def cells(cohort: Path, row: Row) -> pd.DataFrame:
    return pd.read_parquet(cohort.parent / row["path"] / "cells.parquet")


def test_the_matrix_has_the_panel_and_controls_of_the_cells_in_order(
    cohort: Path, row: Row, cells: pd.DataFrame
) -> None:
    with h5py.File(cohort.parent / row["path"] / "cell_feature_matrix.h5") as file:
        feature_types = np.array([kind.decode() for kind in file["matrix/features/feature_type"]])
        names = np.array([name.decode() for name in file["matrix/features/name"]])
        barcodes = [name.decode() for name in file["matrix/barcodes"]]
        total = int(file["matrix/data"][:].sum())
    assert tuple(names[feature_types == "Gene Expression"]) == PANEL
    assert set(feature_types) == {
        "Gene Expression",
        "Negative Control Probe",
        "Negative Control Codeword",
        "Unassigned Codeword",
    }
    assert barcodes == cells.cell_id.tolist()
    assert total == cells.total_counts.sum() > cells.transcript_counts.sum()


def test_cells_have_ids_in_10x_format_and_positive_coordinates(cells: pd.DataFrame) -> None:
    assert cells.cell_id.is_unique
    assert cells.cell_id.str.fullmatch("[a-p]{8}-1").all()
    assert cells.cell_id[0] == "aaaaaaab-1"
    assert cells[["x_centroid", "y_centroid"]].min().min() > 0


def test_cells_lie_on_tissue_of_the_turned_image_by_the_inverse_of_the_alignment(
    cohort: Path, row: Row, cells: pd.DataFrame
) -> None:
    image = tifffile.imread(cohort.parent / row["image"])
    matrix = np.loadtxt(cohort.parent / row["alignment"], delimiter=",")
    pixel_um = json.loads((cohort.parent / row["path"] / "experiment.xenium").read_text())["pixel_size"]
    points = np.column_stack([cells.x_centroid / pixel_um, cells.y_centroid / pixel_um, np.ones(len(cells))])
    x, y, _ = (np.linalg.inv(matrix) @ points.T).astype(int)
    assert np.sqrt(abs(np.linalg.det(matrix))) * pixel_um == pytest.approx(UM_PER_PX["xenium"])
    tumour = pd.read_csv(cohort.parent / row["labels"]).cell_type == row["positive"]
    green = image[..., 1]
    assert green[y, x].mean() < green[:200].mean() - 50
    assert image[y, x, 0][tumour].mean() < image[y, x, 0][~tumour].mean() - 20
    assert green[x.clip(max=len(green) - 1), y.clip(max=green.shape[1] - 1)].mean() > green[y, x].mean() + 20


def test_the_image_is_an_ome_tiff_with_a_pyramid_with_its_um_per_px(cohort: Path, row: Row) -> None:
    with tifffile.TiffFile(cohort.parent / row["image"]) as file:
        assert len(file.series[0].levels) == 3
        assert f'PhysicalSizeX="{UM_PER_PX["xenium"]}"' in (file.ome_metadata or "")


def test_every_cell_has_a_type(cohort: Path, row: Row, cells: pd.DataFrame) -> None:
    types = pd.read_csv(cohort.parent / row["labels"])
    assert types.cell_id.tolist() == cells.cell_id.tolist()
    assert types.cell_type.nunique() == 5
    assert (types.cell_type == row["positive"]).mean() > 0.2
