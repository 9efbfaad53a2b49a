import gzip
from pathlib import Path

import pytest

from spacrd_core.errors import LabelError, MissingFile
from spacrd_core.labels.tables import LabelTable, read_labels


def read(tmp_path: Path, text: str) -> LabelTable:
    path = tmp_path / "labels.csv"
    path.write_bytes(text.encode())
    table = read_labels(path)
    assert isinstance(table, LabelTable)
    return table


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
def test_ids_and_labels_are_read_from_any_layout(tmp_path: Path, text: str) -> None:
    table = read(tmp_path, text)
    assert table.kind == "ids"
    assert table.rows[["id", "value"]].to_numpy().tolist() == [["A", "x"], ["B", ""]]


def test_numbers_alone_are_a_vector(tmp_path: Path) -> None:
    assert list(read(tmp_path, "0 1\n1.0\t0\n").rows["value"]) == ["0", "1", "1.0", "0"]


def test_quoted_texts_keep_their_commas(tmp_path: Path) -> None:
    table = read(tmp_path, 'Barcode,"a ""free"" text, of Loupe"\nA,"invasive, high grade"\n')
    assert list(table.rows["value"]) == ["invasive, high grade"]


def test_a_vector_of_numbers_may_have_missing_values(tmp_path: Path) -> None:
    assert list(read(tmp_path, "1 NA 0\n-1\n\n").rows["value"]) == ["1", "NA", "0", "-1"]


def test_one_known_text_per_line_is_a_vector_with_empty_lines_as_unlabelled_spots(tmp_path: Path) -> None:
    table = read(tmp_path, "invasive cancer\r\n\r\nbreast glands\r\nundetermined\r\n")
    assert table.kind == "vector"
    assert list(table.rows["value"]) == ["invasive cancer", "", "breast glands", "undetermined"]


def test_coordinates_beside_ids_are_kept_as_numbers(tmp_path: Path) -> None:
    rows = read(tmp_path, "id,x_um,y_um,label\nA,1.5,?,a\nB,,2,b\n").rows
    assert rows["x_um"].tolist()[0] == 1.5
    assert rows[["x_um", "y_um"]].isna().to_numpy().tolist() == [[False, True], [True, False]]


def test_a_text_table_named_xls_is_read_and_a_workbook_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "labels.xls"
    path.write_text("id\tlabel\nA\tx\n")
    assert isinstance(read_labels(path), LabelTable)
    for name, start in (("labels.xls", b"\xd0\xcf\x11\xe0\xa1\xb1"), ("labels.xlsx", b"PK\x03\x04\x14\x00")):
        (tmp_path / name).write_bytes(start + bytes(100))
        with pytest.raises(LabelError) as caught:
            read_labels(tmp_path / name)
        assert f"{tmp_path / name} is a workbook" in str(caught.value)
        assert "as CSV" in caught.value.hint


def test_an_ambiguous_label_column_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LabelError) as caught:
        read(tmp_path, "Barcode,in_tissue,Grade,Site\nA,1,x,y\n")
    assert "none of the columns 'barcode', 'in_tissue', 'grade', 'site'" in str(caught.value)
    assert "to 'label'" in caught.value.hint


def test_positions_take_precedence_over_a_row_index(tmp_path: Path) -> None:
    table = read(tmp_path, ",x,y,label\n0,9.1,12.2,a\n1,10.2,11.9,b\n")
    assert table.kind == "positions"
    assert table.rows[["x", "y"]].to_numpy().tolist() == [[9.1, 12.2], [10.2, 11.9]]


def test_a_row_that_ends_early_has_a_blank_label(tmp_path: Path) -> None:
    assert list(read(tmp_path, "id,label\nA,x\nB\n").rows["value"]) == ["x", ""]


def test_a_gzipped_table_is_read(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv.gz"
    path.write_bytes(gzip.compress(b"id,label\nA,x\n"))
    table = read_labels(path)
    assert isinstance(table, LabelTable)
    assert list(table.rows["id"]) == ["A"]


def test_equal_rows_count_once(tmp_path: Path) -> None:
    assert len(read(tmp_path, "id,label\nA,x\nA,x\nB,y\n").rows) == 2


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("", "is empty"),
        ("<html>404</html>", "is a web page"),
        ("label\ncancer\n", "has only one column, which is neither 0/1 numbers nor known label texts"),
        ("id,label\n", "a header but no rows"),
        ("id,label\nA,x\nB,y,z\n", "is not a table"),
        ("id,label\nA,x,y,z\n", "has 4 columns but 2 names in its header"),
        ('id,label\nA,"x\n', "is not a table"),
        ("id,Label,label\nA,x,y\n", "more than one column 'label'"),
        ("gene,value\nA,x\n", "no id column and no x, y columns, only 'gene', 'value'"),
        ("id,first,second\nA,x,y\n", "none of the columns 'id', 'first', 'second'"),
        ("x,y,label\n1,one,a\n", "has 'one' where a position was expected"),
        ("id,label\nA,x\nA,y\n", "has two labels for 1 ids, for example A: 'x' and 'y'"),
    ],
)
def test_an_unreadable_file_is_refused_by_name_with_a_remedy(tmp_path: Path, text: str, phrase: str) -> None:
    with pytest.raises(LabelError, match=phrase) as caught:
        read(tmp_path, text)
    assert "labels.csv" in str(caught.value)
    assert caught.value.hint


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MissingFile, match="does not exist"):
        read_labels(tmp_path / "none.csv")


def test_a_row_without_a_position_and_matching_name_is_not_a_second_label(tmp_path: Path) -> None:
    table = read(tmp_path, "Row.names,x,y,label\n10x20,1.5,2.5,a\n30x40,NA,NA,b\n")
    assert list(table.rows["contested"]) == [False]
    assert "left out: 1, second labels of 0 spots" in table.notes[0]
