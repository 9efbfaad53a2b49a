"""Read files that may be gzipped, within bounds: two megabytes can unpack to two gigabytes of nothing."""

from __future__ import annotations

import gzip
import io
import zlib
from typing import IO, TYPE_CHECKING, Any

from spacrd_core.errors import InputError
from spacrd_core.opening.kinds import refuse_special

if TYPE_CHECKING:
    from pathlib import Path

GZIP_MAGIC = b"\x1f\x8b"
GZIP_ERRORS = (EOFError, gzip.BadGzipFile, zlib.error)
# Real tables shrink to a fifth or a twentieth, lists of zeros to a thousandth: below FREE_BYTES, anything is read.
MAX_EXPANSION = 200
FREE_BYTES = 2**26
# The largest real tables, of the bins of a Visium HD slide, have 31 million rows and a gigabyte.
MAX_TEXT_BYTES = 2**31
MAX_LINES = 50_000_000
BUFFER_BYTES = 2**20


class _Inflated(io.RawIOBase):
    """The content of a gzipped file, which must not be too many times as large as the file."""

    def __init__(self, path: Path, error: type[InputError]) -> None:
        self._stream, self._path, self._error = gzip.GzipFile(path), path, error
        self._limit, self._count = max(FREE_BYTES, MAX_EXPANSION * path.stat().st_size), 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        target = memoryview(buffer)
        content = self._stream.read(len(target))
        target[: len(content)] = content
        self._count += len(content)
        if self._count > self._limit:
            raise self._error(
                f"{self._path} unpacks to more than {MAX_EXPANSION} times its size, which no table does",
                hint="download or copy it again",
            )
        return len(content)

    def close(self) -> None:
        self._stream.close()
        super().close()


def is_gzip(path: Path) -> bool:
    """Return whether a file begins as gzip does."""
    with path.open("rb") as stream:
        return stream.read(len(GZIP_MAGIC)) == GZIP_MAGIC


def open_inflated(path: Path, error: type[InputError] = InputError) -> IO[bytes]:
    """Open a file, gzipped or not, as a stream of its content.

    Raises
    ------
    InputError
        Of the type ``error``, if it is not a file; or while reading, if it unpacks to too many times its size.
    """
    refuse_special(path, error)
    return io.BufferedReader(_Inflated(path, error), BUFFER_BYTES) if is_gzip(path) else path.open("rb")


def read_inflated(path: Path, error: type[InputError] = InputError) -> bytes:
    """Return the content of a table, gzipped or not; of what is not text, not more than a NUL and what is before it.

    Raises
    ------
    InputError
        Of the type ``error``, if it is not a file, or larger than the largest real tables.
    """
    parts, size, lines = [], 0, 0
    with open_inflated(path, error) as stream:
        while part := stream.read(BUFFER_BYTES):
            parts.append(part)
            size, lines = size + len(part), lines + part.count(b"\n")
            if b"\0" in part:  # no text; a sparse file has nothing else
                break
            if size > MAX_TEXT_BYTES or lines > MAX_LINES:
                raise error(
                    f"{path} has more than {MAX_TEXT_BYTES >> 30} GiB of text, or more than {MAX_LINES:,} lines",
                    hint="give the table of one section",
                )
    return b"".join(parts)
