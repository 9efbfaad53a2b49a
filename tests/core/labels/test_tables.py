from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import pytest

from spacrd_core.errors import LabelError, MissingFile
from spacrd_core.labels.tables import LabelTable, read_labels

if TYPE_CHECKING:
    from pathlib import Path


def read(tmp_path: Path, text: str) -> LabelTable:
    path = tmp_path / "labels.csv"
    path.write_bytes(text.encode())
    return read_labels(path)


@pytest.mark.parametrize(
    "text",
    [
        "id,label\nA,x\nB,\n",
        "\ufeffBarcode,Graph based\r\nA,x\r\nB,\r\n",
        "cell_id\tcluster\nA\tx\nB\t\n",
        "SPOT_ID;score;Label\nA;3;x\nB;4;\n",
        ",label\nA,x\nB,\n",
        '"label","score"\n"A","x",3\n"B","",4\n',
        "spot_id,x_um,y_um,annotation\n A ,1,2, x\nB,1,2,\n",
        '"Barcode","my, label"\n"A","x"\n"B",\n',
        '"Barcode";"one, two, three"\nA;x\nB;\n',
        "barcode,in_tissue,pxl_row_in_fullres,pxl_col_in_fullres,my regions\nA,1,2,3,x\nB,1,2,3,\n",
        "Cell ID,Group,Color\nA,x,#f00\nB,,#0f0\n",
        "id,x,y,cell_type\nA,1,2,x\nB,3,4,\n",
    ],
)
def test_ids_and_labels_are_found_whatever_the_layout(tmp_path: Path, text: str) -> None:
    table = read(tmp_path, text)
    assert table.kind == "ids"
    assert table.rows[["id", "value"]].to_numpy().tolist() == [["A", "x"], ["B", ""]]


def test_numbers_alone_are_a_vector(tmp_path: Path) -> None:
    assert list(read(tmp_path, "0 1\n1.0\t0\n").rows["value"]) == ["0", "1", "1.0", "0"]


def test_quoted_texts_keep_their_commas(tmp_path: Path) -> None:
    table = read(tmp_path, 'Barcode,"a ""free"" text, of Loupe"\nA,"invasive, high grade"\n')
    assert list(table.rows["value"]) == ["invasive, high grade"]


def test_numbers_may_miss_and_are_a_vector_still(tmp_path: Path) -> None:
    assert list(read(tmp_path, "1 NA 0\n-1\n\n").rows["value"]) == ["1", "NA", "0", "-1"]


def test_a_known_word_a_line_is_a_vector_and_an_empty_line_a_spot_without_a_label(tmp_path: Path) -> None:
    table = read(tmp_path, "invasive cancer\r\n\r\nbreast glands\r\nundetermined\r\n")
    assert table.kind == "vector"
    assert list(table.rows["value"]) == ["invasive cancer", "", "breast glands", "undetermined"]


def test_coordinates_beside_ids_are_kept_as_numbers(tmp_path: Path) -> None:
    rows = read(tmp_path, "id,x_um,y_um,label\nA,1.5,?,a\nB,,2,b\n").rows
    assert rows["x_um"].tolist()[0] == 1.5
    assert rows[["x_um", "y_um"]].isna().to_numpy().tolist() == [[False, True], [True, False]]


def test_a_table_of_text_called_xls_is_read_and_a_workbook_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "labels.xls"
    path.write_text("id\tlabel\nA\tx\n")
    assert isinstance(read_labels(path), LabelTable)
    for name, start in (("labels.xls", b"\xd0\xcf\x11\xe0\xa1\xb1"), ("labels.xlsx", b"PK\x03\x04\x14\x00")):
        (tmp_path / name).write_bytes(start + bytes(100))
        with pytest.raises(LabelError) as caught:
            read_labels(tmp_path / name)
        assert str(caught.value) == f"the label file {tmp_path / name} is a workbook, not a text table"
        assert caught.value.hint == "save the sheet that holds the labels as CSV and give that"


def test_of_several_columns_none_is_taken_for_the_label(tmp_path: Path) -> None:
    with pytest.raises(LabelError) as caught:
        read(tmp_path, "Barcode,in_tissue,Grade,Site\nA,1,x,y\n")
    assert str(caught.value) == (
        f"none of the columns 'barcode', 'in_tissue', 'grade', 'site' of the label file {tmp_path / 'labels.csv'} "
        "is called label"
    )
    assert caught.value.hint == "rename one to 'label'"


def test_positions_win_over_an_index_that_only_counts_the_rows(tmp_path: Path) -> None:
    table = read(tmp_path, ",x,y,label\n0,9.1,12.2,a\n1,10.2,11.9,b\n")
    assert table.kind == "positions"
    assert table.rows[["x", "y"]].to_numpy().tolist() == [[9.1, 12.2], [10.2, 11.9]]


def test_a_row_that_ends_early_has_a_blank_label(tmp_path: Path) -> None:
    assert list(read(tmp_path, "id,label\nA,x\nB\n").rows["value"]) == ["x", ""]


def test_a_gzipped_table_is_read(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv.gz"
    path.write_bytes(gzip.compress(b"id,label\nA,x\n"))
    assert list(read_labels(path).rows["id"]) == ["A"]


def test_equal_rows_count_once(tmp_path: Path) -> None:
    assert len(read(tmp_path, "id,label\nA,x\nA,x\nB,y\n").rows) == 2


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "is empty"),
        ("<html>404</html>", "is a web page"),
        ("label\ncancer\n", "has one column only, and it is neither 0/1 numbers nor words that are known"),
        ("id,label\n", "a header and no rows"),
        ("id,label\nA,x\nB,y,z\n", "is not a table"),
        ("id,label\nA,x,y,z\n", "has 4 columns and 2 names in its header"),
        ('id,label\nA,"x\n', "is not a table"),
        ("id,Label,label\nA,x,y\n", "more than one column 'label'"),
        ("gene,value\nA,x\n", "no id column and no x, y columns, but 'gene', 'value'"),
        ("id,first,second\nA,x,y\n", "none of the columns 'id', 'first', 'second'"),
        ("x,y,label\n1,one,a\n", "has 'one' where a position was expected"),
        ("id,label\nA,x\nA,y\n", "has two labels for 1 ids, A for one: 'x' and 'y'"),
    ],
)
def test_what_cannot_be_read_gets_a_sentence_with_the_file_and_a_remedy(
    tmp_path: Path, text: str, sentence: str
) -> None:
    with pytest.raises(LabelError, match=sentence) as caught:
        read(tmp_path, text)
    assert "labels.csv" in str(caught.value)
    assert caught.value.hint


def test_a_missing_file_is_missing(tmp_path: Path) -> None:
    with pytest.raises(MissingFile, match="does not exist"):
        read_labels(tmp_path / "none.csv")


def test_a_row_without_a_position_that_extends_no_name_contests_nothing(tmp_path: Path) -> None:
    table = read(tmp_path, "Row.names,x,y,label\n10x20,1.5,2.5,a\n30x40,NA,NA,b\n")
    assert list(table.rows["contested"]) == [False]
    assert "left out: 1, second labels of 0 spots" in table.notes[0]
