"""The cells of a bundle, and their join with its matrix by ids of any type."""

import gzip
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from bundles.tenx import Matrix, write_h5
from bundles.xenium import XeniumBundle

from spacrd_core.errors import CountsError, GeometryError
from spacrd_core.section.section import ImageInputs, Section
from spacrd_readers.xenium.cells import read_cells
from spacrd_readers.xenium.reader import Xenium

BUNDLE = XeniumBundle(step_um=100.0)  # 108 cells
ONE_BUNDLE = "take both from one bundle"


def read(path: Path) -> Section:
    return Xenium(Xenium.Options(unit="cell")).read(path, ImageInputs())


def cells_of(folder: Path, change: Any) -> Path:
    """Write a bundle with a changed cell table."""
    BUNDLE.write(folder)
    change(pd.read_parquet(folder / "cells.parquet")).to_parquet(folder / "cells.parquet", index=False)
    return folder


@pytest.mark.parametrize(
    ("first", "second", "examples"),
    [
        ("int", "str", ("aaaaaaab-1", "1")),
        ("str", "int", ("1", "aaaaaaab-1")),
        ("bytes", "int", ("1", "aaaaaaab-1")),
    ],
)
def test_cells_and_matrix_of_two_kinds_of_ids_are_distinguished(
    tmp_path: Path, first: Any, second: Any, examples: tuple[str, str]
) -> None:
    folder = replace(BUNDLE, ids=first).write(tmp_path / "a")
    other = replace(BUNDLE, ids=second).write(tmp_path / "b")
    (other / "cell_feature_matrix.h5").replace(folder / "cell_feature_matrix.h5")
    barcode = replace(BUNDLE, ids=second).names[0]
    cell = replace(BUNDLE, ids=first).names[0]
    with pytest.raises(CountsError) as caught:
        read(folder)
    for phrase in (
        f"the matrix and cells of {folder} are from different bundles",
        f"108 of the 108 barcodes of cell_feature_matrix.h5 ({barcode}, ...)",
        f"108 of the 108 cells of cells.parquet ({cell}, ...)",
    ):
        assert phrase in str(caught.value)
    assert ONE_BUNDLE in caught.value.hint


def test_a_few_cells_of_one_file_alone_are_left_out_and_named(tmp_path: Path) -> None:
    folder = cells_of(tmp_path, lambda table: table.drop(index=[5, 6]))
    section = read(folder)
    assert section.counts.n_obs == 106
    names = BUNDLE.names
    note = f"2 of the 108 barcodes of cell_feature_matrix.h5 ({names[5]}, ...) have no cell, left out"
    assert note in section.notes
    np.testing.assert_array_equal(section.counts.X.toarray(), np.delete(BUNDLE.genes, [5, 6], axis=0))
    counts = Matrix(BUNDLE.genes[:-1], names[:-1], BUNDLE.tissue.symbols, BUNDLE.tissue.ids)
    write_h5(BUNDLE.write(tmp_path / "b") / "cell_feature_matrix.h5", counts)
    section = read(tmp_path / "b")
    assert section.counts.n_obs == 107
    assert f"1 of the 108 cells of cells.parquet ({names[-1]}, ...) have no counts, left out" in section.notes


def test_a_matrix_that_names_a_cell_twice_is_refused(tmp_path: Path) -> None:
    folder = BUNDLE.write(tmp_path)
    names = [BUNDLE.names[0], *BUNDLE.names[:-1]]
    path = write_h5(
        folder / "cell_feature_matrix.h5", Matrix(BUNDLE.genes, names, BUNDLE.tissue.symbols, BUNDLE.tissue.ids)
    )
    with pytest.raises(CountsError) as caught:
        read(folder)
    assert f"{path} lists a cell more than once" in str(caught.value)


def test_a_matrix_without_a_cell_is_refused(tmp_path: Path) -> None:
    folder = BUNDLE.write(tmp_path)
    none = Matrix(BUNDLE.genes[:0], [], BUNDLE.tissue.symbols, BUNDLE.tissue.ids)
    write_h5(folder / "cell_feature_matrix.h5", replace(none, variant=replace(none.variant, strings="variable")))
    with pytest.raises(CountsError, match=r"108 of the 108 cells of cells\.parquet"):
        read(folder)


def test_cells_without_a_position_are_left_out_and_counted(tmp_path: Path) -> None:
    folder = cells_of(tmp_path, lambda table: table.assign(x_centroid=table["x_centroid"].where(table.index > 1)))
    cells = read_cells(folder / "cells.parquet")
    assert len(cells.ids) == 106
    assert cells.notes == ("cells of cells.parquet without a position, left out: 2",)
    assert "cells of cells.parquet without a position, left out: 2" in read(folder).notes


@pytest.mark.parametrize(
    ("change", "phrase"),
    [
        (lambda t: t.drop(columns=["x_centroid", "cell_id"]), "table .* has no column cell_id, x_centroid"),
        (lambda t: t.assign(x_centroid=np.nan), "table .* has no cell with a position"),
        (lambda t: t.assign(y_centroid=t["y_centroid"] * 1e9), r"cells .* up to 8\.\d+e\+11 um from the origin"),
        (lambda t: t.assign(x_centroid="here"), "no numbers in x_centroid, y_centroid"),
        (lambda t: pd.concat([t, t.iloc[[3]]]), f"lists {BUNDLE.names[3]} more than once"),
    ],
)
def test_a_table_of_cells_that_cannot_be_used_is_refused_with_a_hint(tmp_path: Path, change: Any, phrase: str) -> None:
    folder = cells_of(tmp_path, change)
    with pytest.raises(GeometryError, match=phrase) as caught:
        read(folder)
    assert str(folder / "cells.parquet") in str(caught.value)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("name", "data", "phrase"),
    [
        ("cells.parquet", b"PAR1 no more", "is not parquet"),
        ("cells.csv.gz", b"\x1f\x8b\x08\x00\x00", "is a broken gzip file"),
        ("cells.csv.gz", gzip.compress(b'cell_id,x_centroid,y_centroid\n"1,2,3\n', mtime=0), "is damaged"),
        ("cells.csv", b"cell_id,x_centroid,y_centroid\n\xff,2,3\n", "is damaged"),
        ("cells.csv", b"<html></html>", "is a web page"),
        ("cells.csv", b"cell_id,x_centroid,y_centroid\n", "has no cell with a position"),
        ("cells.csv", b"id,x,y\n", "has no column cell_id, x_centroid, y_centroid"),
    ],
)
def test_a_broken_table_of_cells_is_refused_with_a_hint(tmp_path: Path, name: str, data: bytes, phrase: str) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(GeometryError, match=phrase) as caught:
        read_cells(tmp_path / name)
    assert str(tmp_path / name) in str(caught.value)
    assert caught.value.hint


@pytest.mark.parametrize("ids", ["int", "str", "bytes"])
@pytest.mark.parametrize("cells", ["parquet", "csv.gz"])
def test_ids_of_any_type_are_read_as_the_same_bytes(tmp_path: Path, ids: Any, cells: Any) -> None:
    bundle = replace(BUNDLE, ids=ids, cells=cells)
    table = read_cells(bundle.write(tmp_path) / f"cells.{cells}")
    assert table.ids.tolist() == [name.encode() for name in bundle.names]
    np.testing.assert_allclose(table.xy_um, bundle.centroids)


def test_an_id_that_reads_like_no_value_is_kept(tmp_path: Path) -> None:
    (tmp_path / "cells.csv").write_text("cell_id,x_centroid,y_centroid,cell_area\nNA,1,2,\nnan,3,4,7\n")
    cells = read_cells(tmp_path / "cells.csv")
    assert cells.ids.tolist() == [b"NA", b"nan"]
    assert cells.areas is not None
    np.testing.assert_array_equal(cells.areas, [np.nan, 7.0])
