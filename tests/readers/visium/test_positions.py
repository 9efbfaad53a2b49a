"""Positions with and without a header, and the errors about tables that hold none."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bundles.visium import HEADER, VisiumBundle

from spacrd_core.errors import GeometryError
from spacrd_readers.visium.positions import read_positions

BUNDLE = VisiumBundle()
HINT = f"its columns must be {', '.join(HEADER)}"


def error(path: Path) -> tuple[str, str]:
    with pytest.raises(GeometryError) as caught:
        read_positions(path)
    return str(caught.value), caught.value.hint


@pytest.mark.parametrize("header", [True, False])
@pytest.mark.parametrize("name", ["tissue_positions.csv", "tissue_positions_list.csv", "tissue_positions.csv.gz"])
def test_a_header_is_detected_whatever_the_name(tmp_path: Path, name: str, *, header: bool) -> None:
    positions = read_positions(replace(BUNDLE, header=header).write_positions(tmp_path / name))
    assert len(positions.barcodes) == len(BUNDLE.array)
    assert positions.barcodes[0] == f"{BUNDLE.letters[0]}-1".encode()
    np.testing.assert_array_equal(positions.in_tissue, BUNDLE.in_tissue)


@pytest.mark.parametrize("name", ["tissue_positions.csv", "tissue_positions.parquet"])
@pytest.mark.parametrize("whole_px", [True, False])
def test_a_row_is_a_y_and_a_column_an_x(tmp_path: Path, name: str, *, whole_px: bool) -> None:
    bundle = replace(BUNDLE, whole_px=whole_px)
    positions = read_positions(bundle.write_positions(tmp_path / name))
    np.testing.assert_array_equal(positions.array, bundle.array)
    np.testing.assert_allclose(positions.px, bundle.px)
    assert positions.px.dtype == np.float64


def test_columns_are_found_by_their_names(tmp_path: Path) -> None:
    path = tmp_path / "tissue_positions.csv"
    BUNDLE.table[list(HEADER[::-1])].rename(columns=str.upper).to_csv(path, quoting=1)
    np.testing.assert_allclose(read_positions(path).px, BUNDLE.px)


def test_other_line_ends_and_a_mark_of_utf_8_are_read(tmp_path: Path) -> None:
    path = tmp_path / "tissue_positions.csv"
    text = BUNDLE.table.to_csv(index=False, lineterminator="\r\n")
    path.write_bytes(b"\xef\xbb\xbf" + text.encode())
    np.testing.assert_allclose(read_positions(path).px, BUNDLE.px)
    path.write_text(BUNDLE.table.to_csv(index=False, header=False, sep="\t"))
    np.testing.assert_allclose(read_positions(path).px, BUNDLE.px)


def spoiled(**columns: Any) -> Any:
    table = BUNDLE.table.astype(object)
    for name, value in columns.items():
        table.loc[3, name] = value
    return table


@pytest.mark.parametrize("value", ["", "NA", "?", float("inf")])
def test_a_row_without_a_number_is_named(tmp_path: Path, value: object) -> None:
    path = BUNDLE.write_positions(tmp_path / "p.csv", spoiled(pxl_row_in_fullres=value))
    spot = f"{BUNDLE.letters[3]}-1"
    message, hint = error(path)
    assert f"1 rows of the positions {path} lack a number" in message
    assert spot in message
    assert hint == HINT


def test_a_spot_twice_is_named(tmp_path: Path) -> None:
    spot = f"{BUNDLE.letters[0]}-1"
    path = BUNDLE.write_positions(tmp_path / "p.csv", spoiled(barcode=spot))
    assert error(path)[0] == f"the positions {path} have spot {spot} more than once"


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    path = BUNDLE.write_positions(tmp_path / "p.csv", BUNDLE.table.drop(columns="array_row"))
    assert error(path) == (f"the positions {path} have no column array_row", HINT)
    path = BUNDLE.write_positions(tmp_path / "p.parquet", BUNDLE.table.drop(columns=["barcode", "in_tissue"]))
    assert error(path) == (f"the positions {path} have no column barcode, in_tissue", HINT)


def test_a_table_of_other_columns_without_a_header_is_refused(tmp_path: Path) -> None:
    bundle = replace(BUNDLE, header=False)
    path = bundle.write_positions(tmp_path / "p.csv", BUNDLE.table.drop(columns="in_tissue"))
    assert error(path) == (f"the positions {path} have 5 columns and no header, expected 6", HINT)


def test_what_is_not_table_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "p.parquet"
    path.write_bytes(b"PAR1 no more")
    assert error(path)[0].startswith(f"the positions {path} are not a parquet table")
    path = tmp_path / "p.csv"
    path.write_text(",".join(HEADER) + "\n")
    assert error(path)[0] == f"the positions {path} have no spot"
    path.write_text("a,b\n1,2\n1,2,3\n")
    assert error(path)[0].startswith(f"the positions {path} are not a table: ")
    path.write_text("<html>")
    assert error(path)[0] == f"the positions {path} is a web page, not a table"


@pytest.mark.parametrize("header", [True, False])
@pytest.mark.parametrize("separator", [";", "\t"])
def test_semicolons_and_decimal_commas_are_read(tmp_path: Path, separator: str, *, header: bool) -> None:
    path = tmp_path / "tissue_positions.csv"
    text = BUNDLE.table.to_csv(index=False, header=header, sep=separator, decimal=",", lineterminator="\r\n")
    path.write_bytes(b"\xef\xbb\xbf" + text.encode())
    positions = read_positions(path)
    np.testing.assert_allclose(positions.px, BUNDLE.px)
    np.testing.assert_array_equal(positions.array, BUNDLE.array)


def test_row_names_of_r_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "tissue_positions.csv"
    names, *rows = BUNDLE.table.to_csv(sep="\t").splitlines()
    path.write_text("\n".join([names.lstrip("\t"), *rows]) + "\n")
    np.testing.assert_allclose(read_positions(path).px, BUNDLE.px)
