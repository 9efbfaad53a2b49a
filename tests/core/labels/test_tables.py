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
    ],
)
def test_ids_and_labels_are_found_whatever_the_layout(tmp_path: Path, text: str) -> None:
    table = read(tmp_path, text)
    assert table.kind == "ids"
    assert table.rows[["id", "value"]].to_numpy().tolist() == [["A", "x"], ["B", ""]]


def test_numbers_alone_are_a_vector(tmp_path: Path) -> None:
    assert list(read(tmp_path, "0 1\n1.0\t0\n").rows["value"]) == ["0", "1", "1.0", "0"]


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
        ("label\ncancer\n", "one column only"),
        ("id,label\n", "a header and no rows"),
        ("id,label\nA,x\nB,y,z\n", "is not a table"),
        ("id,label\nA,x,y,z\n", "has 4 columns and 2 names in its header"),
        ('id,label\nA,"x\n', "is not a table"),
        ("id,Label,label\nA,x,y\n", "more than one column 'label'"),
        ("gene,value\nA,x\n", "no id column and no x, y columns, but 'gene', 'value'"),
        ("id,first,second\nA,x,y\n", "none of the columns 'id', 'first', 'second'"),
        ("x,y,label\n1,one,a\n", "has 'one' where a position was expected"),
        ("id,label\nA,x\nA,y\n", "has two labels for 1 spots, A for one: 'x' and 'y'"),
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
