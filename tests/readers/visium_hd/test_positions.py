"""Positions of bins as Space Ranger's parquet, or as a CSV made of it: the array is the same."""

import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from bundles.tissue import Tissue
from bundles.visium_hd import HdRun

from spacrd_core.errors import GeometryError
from spacrd_core.section.section import ImageInputs
from spacrd_readers.visium_hd.array import bin_size_from_names, read_array
from spacrd_readers.visium_hd.reader import VisiumHd

RUN = HdRun(tissue=Tissue(size_um=(500.0, 400.0), square_um=(100.0, 100.0, 300.0, 300.0)))


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """The parquet table of a run of its own."""
    return RUN.write(tmp_path / "run") / "binned_outputs/square_008um/spatial/tissue_positions.parquet"


def as_text(table: Path, name: str, **options: object) -> Path:
    """Write a parquet table as text in its place."""
    text = pd.read_parquet(table).to_csv(index=False, **options).encode()
    path = table.with_name(name)
    path.write_bytes(gzip.compress(text) if name.endswith(".gz") else text)
    return path


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("tissue_positions.csv", {}),
        ("tissue_positions.csv", {"header": False}),
        ("tissue_positions.csv", {"quoting": 1, "lineterminator": "\r\n"}),
        ("tissue_positions.csv", {"sep": ";", "decimal": ","}),
        ("tissue_positions.csv", {"sep": ";"}),
        ("tissue_positions.csv.gz", {}),
        ("tissue_positions.tsv", {"sep": "\t"}),
    ],
)
def test_a_text_gives_the_same_array_as_the_parquet_table(table: Path, name: str, options: dict[str, object]) -> None:
    whole, path = read_array(table), as_text(table, name, **options)
    array = read_array(path)
    assert array.um == bin_size_from_names(path) == 8
    np.testing.assert_array_equal(array.in_tissue, whole.in_tissue)
    np.testing.assert_allclose(array.to_px.matrix, whole.to_px.matrix, atol=1e-9)


def test_a_run_with_positions_as_text_is_read(table: Path, tmp_path: Path) -> None:
    as_text(table, "tissue_positions.csv")
    reader = VisiumHd(VisiumHd.Options())
    whole = reader.read(tmp_path / "run", ImageInputs(with_image=False))
    table.unlink()
    section = reader.read(tmp_path / "run", ImageInputs(with_image=False))
    pd.testing.assert_frame_equal(section.counts.obs, whole.counts.obs)
    assert {source.path.name for source in section.sources} >= {"tissue_positions.csv"}


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("barcode,in_tissue\nA,1\n", "have no column array_row"),
        (
            "barcode,in_tissue,array_row,array_col,pxl_row_in_fullres,pxl_col_in_fullres\nA,1,x,2,3,4\n",
            "not a CSV table",
        ),
        (
            "barcode,in_tissue,array_row,array_col,pxl_row_in_fullres,pxl_col_in_fullres\nA,1,,2,3,4\n",
            "without array row",
        ),
        ("barcode,in_tissue,array_row,array_col,pxl_row_in_fullres,pxl_col_in_fullres\n", "no bin in tissue"),
    ],
)
def test_a_text_without_positions_is_refused(tmp_path: Path, text: str, phrase: str) -> None:
    path = tmp_path / "tissue_positions.csv"
    path.write_text(text)
    with pytest.raises(GeometryError, match=phrase):
        read_array(path)
