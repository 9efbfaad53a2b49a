"""Spot tables in the forms of depositions: with names or array positions, with and without a header."""

from pathlib import Path

import pandas as pd
import pytest

from spacrd_core.errors import GeometryError
from spacrd_readers.st.spots import read_spots

EXPECTED = {"10x13": (10.0, 13.0, 400.5, 520.0), "11x13": (11.0, 13.0, 440.5, 520.0)}


def spots(tmp_path: Path, text: str) -> pd.DataFrame:
    path = tmp_path / "spots.csv"
    path.write_text(text)
    return read_spots(path)[0]


@pytest.mark.parametrize(
    "text",
    [
        ",X,Y\n10x13,400.5,520\n11x13,440.5,520\n",
        '"","X","Y"\n"10x13",400.5,520\n"11x13",440.5,520\n',
        "X\tY\n10x13\t400.5\t520\n11x13\t440.5\t520\n",
        "spot;x;y;x_px;y_px;tumor\n10x13;10;13;400,5;520;yes\n11x13;11;13;440,5;520;no\n",
        "x,y,pixel_x,pixel_y\n10,13,400.5,520\n11,13,440.5,520\n",
        "id,pixel_x,pixel_y\nX10x13,400.5,520\nX11x13,440.5,520\n",
        "10\t13\t10\t13\t400.5\t520\n11\t13\t11\t13\t440.5\t520\n",
        "10\t13\t10\t13\t400.5\t520\t1\n11\t13\t11\t13\t440.5\t520\t1\n12\t13\t12\t13\t480.5\t520\t0\n",
        "10\t13\t400.5\t520\n11\t13\t440.5\t520\n",
    ],
)
def test_positions_are_the_same_in_every_form(tmp_path: Path, text: str) -> None:
    table = spots(tmp_path, text)
    assert {name: tuple(row) for name, row in zip(table.index, table.to_numpy().tolist(), strict=True)} == EXPECTED


def test_x_and_y_that_repeat_the_names_are_no_px(tmp_path: Path) -> None:
    with pytest.raises(GeometryError, match="has no column pixel_x, pixel_y") as caught:
        spots(tmp_path, "spot,x,y\n10x13,10.02,12.98\n11x13,11,13\n")
    assert "names of spots, like 10x13, and pixel_x, pixel_y" in caught.value.hint


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("a,b\nc,d\n", "has no column x, y, pixel_x, pixel_y"),
        ("a,b\n1,2,3,4\n", "is not a table"),
        ("x,y,pixel_x,pixel_y\n", "has no selected spot"),
        ("x,y,pixel_x,pixel_y\n10,13,,520\n", "1 rows of the spot table .* lack a position, first row 1"),
        ("x,y,pixel_x,pixel_y\n10,13,1,2\n10,13,3,4\n", "has spot 10x13 more than once"),
    ],
)
def test_a_table_without_positions_is_refused(tmp_path: Path, text: str, phrase: str) -> None:
    with pytest.raises(GeometryError, match=phrase):
        spots(tmp_path, text)
