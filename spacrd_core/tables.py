"""Read the text of users' tables, plain or gzipped, with an error for every other kind of file."""

from __future__ import annotations

import csv
import io
import re
from typing import TYPE_CHECKING

from spacrd_core.errors import InputError, MissingFile
from spacrd_core.opening.inflate import GZIP_ERRORS, open_inflated, read_inflated
from spacrd_core.opening.kinds import refuse_special

if TYPE_CHECKING:
    from pathlib import Path

MAX_CELLS = 100  # of a row in a table of names or points
TABLE_HINT = "save it as CSV or TSV in UTF-8"
PREVIEW_BYTES = 2**20  # a header of 30,000 genes is a third of this


def read_text(path: Path, role: str, error: type[InputError] = InputError) -> str:
    """Return the text of a table; ``role`` names it in errors.

    Raises
    ------
    MissingFile
        If there is no such file.
    InputError
        Of the type ``error``, if it is a folder, a broken gzip file, empty, a web page, or not text.
    """
    data = _read_bytes(path, role, error)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as cause:
        raise error(f"the {role} {path} is not a text table", hint=TABLE_HINT) from cause
    _require_table(text, path, role, error)
    return text


def read_beginning(path: Path, role: str, error: type[InputError] = InputError) -> str:
    """Return the beginning of a table, decompressing only that part; raises the same errors as ``read_text``."""
    text = _read_bytes(path, role, error, limit=PREVIEW_BYTES).decode("utf-8-sig", errors="replace")
    _require_table(text, path, role, error)
    return text


def find_delimiter(line: str) -> str:
    """Return the delimiter of a table whose first line is given: tab, semicolon or comma.

    Spreadsheets of countries with a decimal comma write semicolons; a comma between digits is then a decimal comma.
    """
    bare = re.sub(r'"[^"]*"', "", line)
    if "\t" in bare:
        return "\t"
    semicolons, commas = bare.count(";"), len(re.findall(r"(?<!\d),|,(?!\d)", bare))
    return ";" if semicolons and semicolons >= commas else ","


def split_header(text: str, delimiter: str) -> tuple[list[str], str]:
    """Return the cells of the first line, unquoted, and the text below it."""
    header, _, body = text.partition("\n")
    return [cell.strip().strip('"') for cell in header.rstrip("\r").split(delimiter)], body


def split_rows(text: str, delimiter: str, path: Path, error: type[InputError] = InputError) -> list[list[str]]:
    """Return the cells of every row, as the ``csv`` module reads them.

    Raises
    ------
    InputError
        Of the type ``error``, if it is not a table: a cell without an end, or with thousands of letters.
    """
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except csv.Error as cause:
        raise error(f"{path} is not a table: {cause}", hint=TABLE_HINT) from cause
    return require_narrow(rows, path, error)


def require_narrow(rows: list[list[str]], path: Path, error: type[InputError] = InputError) -> list[list[str]]:
    """Return the rows of a table of few columns; one of a million cells would widen all others.

    Raises
    ------
    InputError
        Of the type ``error``, if a row has more.
    """
    if (widest := max(map(len, rows), default=0)) > MAX_CELLS:
        raise error(f"{path} has a row of {widest:,} cells: are its line breaks missing?", hint=TABLE_HINT)
    return rows


def _read_bytes(path: Path, role: str, error: type[InputError], *, limit: int | None = None) -> bytes:
    """Return the content of a file, or its beginning up to a limit."""
    refuse_special(path, error)
    if path.is_dir():
        raise error(f"the {role} {path} is a folder, not a table", hint="give the path of the file")
    if not path.is_file():
        raise MissingFile(f"the {role} {path} does not exist", hint="check the path")
    try:
        if limit is None:
            return read_inflated(path, error)
        with open_inflated(path, error) as stream:
            return stream.read(limit)
    except GZIP_ERRORS as cause:
        raise error(f"the {role} {path} is a broken gzip file: {cause}", hint="download or copy it again") from cause
    except OSError as cause:
        raise error(f"the {role} {path} cannot be read: {cause.strerror}", hint="check its permissions") from cause


def _require_table(text: str, path: Path, role: str, error: type[InputError]) -> None:
    if not text.strip():
        raise error(f"the {role} {path} is empty", hint="download or copy it again")
    if text.lstrip().startswith("<"):
        raise error(f"the {role} {path} is a web page, not a table", hint="download the raw file instead of the page")
    if "\0" in text:
        raise error(f"the {role} {path} is not a text table", hint=TABLE_HINT)
