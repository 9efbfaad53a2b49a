"""Text is read within bounds: how far it unpacks, how many bytes and lines it has, and only from files."""

import gzip
import os
from pathlib import Path

import pytest

from spacrd_core.errors import CountsError, InputError, LabelError
from spacrd_core.opening import inflate
from spacrd_core.opening.inflate import open_inflated, read_inflated
from spacrd_core.tables import read_beginning, read_text

MIB = 2**20


def packed(path: Path, part: bytes, times: int) -> Path:
    with gzip.open(path, "wb", 6) as stream:
        for _ in range(times):
            stream.write(part)
    return path


def test_text_that_unpacks_to_a_thousand_times_its_size_is_refused(tmp_path: Path) -> None:
    file = packed(tmp_path / "a.csv", b"a\n" * MIB, 100)
    with pytest.raises(LabelError, match=r"a\.csv unpacks to more than 200 times its size"):
        read_inflated(file, LabelError)


def test_a_short_list_of_zeros_is_read_however_small_its_file(tmp_path: Path) -> None:
    file = packed(tmp_path / "a.txt", b"0\n" * MIB, 16)
    assert file.stat().st_size * inflate.MAX_EXPANSION < 32 * MIB
    assert len(read_inflated(file)) == 32 * MIB


def test_the_beginning_of_a_bomb_is_read_without_the_rest(tmp_path: Path) -> None:
    file = packed(tmp_path / "a.txt", b"a\tb\n" * MIB, 50)
    assert len(read_beginning(file, "table")) == MIB


def test_text_of_too_many_bytes_or_lines_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "a.csv"
    file.write_bytes(b"a\n" * MIB)
    for bound in ("MAX_TEXT_BYTES", "MAX_LINES"):
        with monkeypatch.context() as patch:
            patch.setattr(inflate, bound, MIB - 1)
            with pytest.raises(CountsError, match=r"more than .* of text, or more than"):
                read_text(file, "counts", CountsError)


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.csv")
    for read in (open_inflated, read_inflated, lambda path: read_text(path, "table")):
        with pytest.raises(InputError, match=r"a\.csv is a named pipe, not a file"):
            read(tmp_path / "a.csv")
