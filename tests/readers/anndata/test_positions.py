"""Positions of any storage: tables with named columns, whole numbers, um."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from bundles.anndata_file import tissue_object, write_anndata

from spacrd_core.errors import GeometryError
from spacrd_core.section.section import ImageInputs, Section
from spacrd_readers.anndata.reader import AnnData


def read(tmp_path: Path, positions: Any, **inputs: Any) -> Section:
    adata = tissue_object(picture=False)
    if isinstance(positions, pd.DataFrame):
        positions = positions.set_axis(adata.obs_names, axis=0)
    adata.obsm["spatial"] = positions
    path = write_anndata(adata, tmp_path / "S1.h5ad")
    return AnnData(AnnData.Options()).read(path, ImageInputs(**inputs))


@pytest.fixture
def xy() -> Any:
    return np.asarray(tissue_object(picture=False).obsm["spatial"])


@pytest.mark.parametrize(
    "columns", [("x", "y"), ("pxl_col_in_fullres", "pxl_row_in_fullres"), ("first", "second"), ("imagecol", "imagerow")]
)
def test_a_table_of_positions_is_read_as_an_array_is(tmp_path: Path, xy: Any, columns: tuple[str, str]) -> None:
    section = read(tmp_path, pd.DataFrame(xy, columns=list(columns)))
    np.testing.assert_allclose(section.counts.obs[["x_px", "y_px"]], xy)


@pytest.mark.parametrize("columns", [("y", "x"), ("pxl_row_in_fullres", "pxl_col_in_fullres"), ("Y_px", "X_px")])
def test_the_names_of_its_columns_say_which_is_x(tmp_path: Path, xy: Any, columns: tuple[str, str]) -> None:
    section = read(tmp_path, pd.DataFrame(xy[:, ::-1], columns=list(columns)))
    np.testing.assert_allclose(section.counts.obs[["x_px", "y_px"]], xy)


def test_positions_in_a_table_of_other_columns_are_found_by_their_names(tmp_path: Path, xy: Any) -> None:
    section = read(tmp_path, pd.DataFrame({"z": 0.0, "y": xy[:, 1], "x": xy[:, 0]}))
    np.testing.assert_allclose(section.counts.obs[["x_px", "y_px"]], xy)


@pytest.mark.parametrize("dtype", [np.int32, np.int64, np.uint16, np.float32])
def test_positions_of_any_number_type_are_read(tmp_path: Path, xy: Any, dtype: Any) -> None:
    section = read(tmp_path, np.rint(xy).astype(dtype))
    np.testing.assert_allclose(section.counts.obs[["x_px", "y_px"]], np.rint(xy))
    assert section.counts.obs["x_px"].dtype == np.float64


def test_positions_in_um_without_a_lattice_need_a_um_per_px_of_1(tmp_path: Path, xy: Any) -> None:
    adata = tissue_object(picture=False)
    adata.obs = adata.obs.drop(columns=["array_row", "array_col"])
    path = write_anndata(adata, tmp_path / "S1.h5ad")
    with pytest.raises(GeometryError) as caught:
        AnnData(AnnData.Options()).read(path, ImageInputs())
    assert "1 if obsm['spatial'] is in um" in caught.value.hint
    section = AnnData(AnnData.Options()).read(path, ImageInputs(um_per_px=1.0))
    np.testing.assert_allclose(section.counts.obs[["x_um", "y_um"]], xy)
