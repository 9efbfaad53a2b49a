import gzip
from pathlib import Path

import pytest

from spacrd_core.errors import CountsError, InputError, MissingFile
from spacrd_core.tables import PREVIEW_BYTES, find_delimiter, read_beginning, read_text, split_header

PACKED = gzip.compress(bytes(range(256)) * 50)
BROKEN = {
    "is empty": b" \n",
    "is a web page": b"<!DOCTYPE html><html></html>",
    "is not a text table": b"PK\x03\x04\xff\xfe\x00\x01",
    "broken gzip": PACKED[:200],
    "Not a gzipped file|broken gzip": b"\x1f\x8bnonsense",
}


def test_text_is_read_plain_and_gzipped_under_any_name(tmp_path: Path) -> None:
    plain, packed = tmp_path / "a.tsv.gz", tmp_path / "b.tsv"
    plain.write_text("x\ty\n1\t2\n", encoding="utf-8-sig")
    packed.write_bytes(gzip.compress(b"x\ty\n1\t2\n"))
    assert read_text(plain, "table") == read_text(packed, "table") == "x\ty\n1\t2\n"


@pytest.mark.parametrize("phrase", BROKEN)
def test_a_file_that_is_no_table_is_refused_by_name_with_a_remedy(tmp_path: Path, phrase: str) -> None:
    path = tmp_path / "counts.tsv"
    path.write_bytes(BROKEN[phrase])
    with pytest.raises(CountsError, match=phrase) as caught:
        read_text(path, "counts table", CountsError)
    assert str(path) in str(caught.value)
    assert caught.value.hint


def test_a_missing_file_and_a_folder_have_different_errors(tmp_path: Path) -> None:
    with pytest.raises(MissingFile, match="does not exist"):
        read_text(tmp_path / "none.tsv", "table")
    with pytest.raises(InputError, match="is a folder"):
        read_text(tmp_path, "table")


def test_only_the_beginning_is_decompressed(tmp_path: Path) -> None:
    path = tmp_path / "long.tsv.gz"
    path.write_bytes(gzip.compress(b"0123456789" * PREVIEW_BYTES))
    assert len(read_beginning(path, "table")) == PREVIEW_BYTES


def test_a_header_is_split_and_unquoted() -> None:
    assert split_header('""\t"A" \tB\r\n1\t2\t3\n', "\t") == (["", "A", "B"], "1\t2\t3\n")


@pytest.mark.parametrize(
    ("line", "delimiter"),
    [
        ("a,b", ","),
        ("a;b", ";"),
        ("a\tb,c;d", "\t"),
        ("AC-1;1;12,5;13,5", ";"),
        ("AC-1\t12,5\t13,5", "\t"),
        ('"a;b",c', ","),
        ("A;B,C,D", ","),
        ("AC-1,1,0", ","),
        ("one", ","),
    ],
)
def test_the_delimiter_is_told_from_decimal_commas(line: str, delimiter: str) -> None:
    assert find_delimiter(line) == delimiter
