"""Read the text of users' tables: plain or gzipped, and a sentence for whatever else stands in their place."""

from __future__ import annotations

import gzip
import zlib
from typing import TYPE_CHECKING

from spacrd_core.errors import InputError, MissingFile

if TYPE_CHECKING:
    from pathlib import Path

GZIP_MAGIC = b"\x1f\x8b"
GLANCE_BYTES = 2**20  # a header of 30,000 genes is a third of this


def read_text(path: Path, role: str, error: type[InputError] = InputError) -> str:
    """Return the text of a table; ``role`` names it in errors.

    Raises
    ------
    MissingFile
        If there is no such file.
    InputError
        Of the given type, if it is a folder, a broken gzip file, empty, a web page, or not text.
    """
    data = _bytes(path, role, error, limit=-1)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as wrong:
        raise error(f"the {role} {path} is not a text table", hint="save it as CSV or TSV in UTF-8") from wrong
    _check(text, path, role, error)
    return text


def glance(path: Path, role: str, error: type[InputError] = InputError) -> str:
    """Return the beginning of a table, unpacking no more than it shows; raises as ``read_text`` does."""
    text = _bytes(path, role, error, limit=GLANCE_BYTES).decode("utf-8-sig", errors="replace")
    _check(text, path, role, error)
    return text


def split_header(text: str, delimiter: str) -> tuple[list[str], str]:
    """Return the cells of the first line, unquoted, and the text below it."""
    header, _, body = text.partition("\n")
    return [cell.strip().strip('"') for cell in header.rstrip("\r").split(delimiter)], body


def _bytes(path: Path, role: str, error: type[InputError], *, limit: int) -> bytes:
    if path.is_dir():
        raise error(f"the {role} {path} is a folder, not a table", hint="give the file itself")
    if not path.is_file():
        raise MissingFile(f"the {role} {path} does not exist", hint="check the path")
    try:
        with path.open("rb") as stream:
            packed = stream.read(2) == GZIP_MAGIC
        with gzip.open(path) if packed else path.open("rb") as stream:
            return stream.read(limit)
    except (EOFError, gzip.BadGzipFile, zlib.error) as wrong:
        raise error(f"the {role} {path} is a broken gzip file: {wrong}", hint="download or copy it again") from wrong
    except OSError as wrong:
        raise error(f"the {role} {path} cannot be read: {wrong.strerror}", hint="check its permissions") from wrong


def _check(text: str, path: Path, role: str, error: type[InputError]) -> None:
    if not text.strip():
        raise error(f"the {role} {path} is empty", hint="download or copy it again")
    if text.lstrip().startswith("<"):
        raise error(
            f"the {role} {path} is a web page, not a table", hint="download the raw file, not the page that shows it"
        )
    if "\0" in text:
        raise error(f"the {role} {path} is not a text table", hint="save it as CSV or TSV in UTF-8")
