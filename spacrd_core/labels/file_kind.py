"""Look at the first bytes of a label file: a picture, XML or text, plain or gzipped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from spacrd_core.errors import LabelError
from spacrd_core.opening.inflate import GZIP_ERRORS, open_inflated

if TYPE_CHECKING:
    from pathlib import Path

PICTURE_MAGIC = (b"\x89PNG", b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")  # PNG, TIFF and BigTIFF
JPEG_MAGIC = b"\xff\xd8\xff"
BYTE_ORDER_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
WEB_PAGE = (b"<!doctype html", b"<html")
BEGINNING = 512


def file_kind(path: Path) -> Literal["picture", "xml", "text"]:
    """Return what a label file is; ``text`` also for one that cannot be read, which is for its reader to say.

    Raises
    ------
    LabelError
        If it is a JPEG, whose pixels are not classes.
    """
    start = _beginning(path)
    if start.startswith(JPEG_MAGIC):
        raise LabelError(
            f"the label file {path} is a JPEG, whose compression mixes the values of a mask",
            hint="export the mask as PNG or TIFF without loss",
        )
    if start.startswith(PICTURE_MAGIC):
        return "picture"
    for mark in BYTE_ORDER_MARKS:
        start = start.removeprefix(mark)
    bare = start.replace(b"\0", b"").lstrip().lower()  # UTF-16 has a zero beside every Latin letter
    return "xml" if bare.startswith(b"<") and not bare.startswith(WEB_PAGE) else "text"


def read_bytes(path: Path, limit: int) -> bytes:
    """Return at most one byte more than a limit of a file, decompressed."""
    return _read(path, limit + 1)


def _beginning(path: Path) -> bytes:
    try:
        return _read(path, BEGINNING)
    except (OSError, *GZIP_ERRORS):
        return b""


def _read(path: Path, size: int) -> bytes:
    with open_inflated(path, LabelError) as stream:
        return stream.read(size)
