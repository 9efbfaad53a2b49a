"""Tables of numbers in the forms that spreadsheets and R write."""

import pandas as pd
import pytest

from spacrd_readers._delimited import are_numbers, read_cells, to_numbers, with_header


@pytest.mark.parametrize(
    "text", ["a,b\n1.5,2\n", "a\tb\n1,5\t2\n", "a;b\r\n1,5;2\r\n", '"A" ; "B"\n"1.5"; 2\n', '"r";"a";"b"\n1;1,5;2\n']
)
def test_numbers_are_the_same_in_every_notation(text: str) -> None:
    table = with_header(read_cells(text))
    assert to_numbers(table[["a", "b"]]).to_numpy().tolist() == [[1.5, 2.0]]


def test_row_names_without_a_header_get_an_unnamed_column() -> None:
    assert list(with_header(read_cells("a\tb\nr1\t1\t2\n")).columns) == ["", "a", "b"]


def test_rows_of_another_width_than_the_first_are_no_table() -> None:
    with pytest.raises(pd.errors.ParserError, match="its first row has 2 cells, the others 4"):
        read_cells("a,b\n1,2,3,4\n")


def test_a_header_alone_has_no_rows() -> None:
    assert with_header(read_cells("a,b\n")).empty


def test_a_row_of_numbers_is_no_header() -> None:
    cells = read_cells("1,5;2\nx;3\n")
    assert are_numbers(cells.iloc[0])
    assert not are_numbers(cells.iloc[1])
    assert to_numbers(cells)[0].isna().tolist() == [False, True]
