"""How the pixels of a TIFF page were compressed."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from PIL.JpegImagePlugin import JpegImageFile
from tifffile import PHOTOMETRIC

from spacrd_core.images.jpeg import Jpeg, jpeg_settings
from spacrd_core.images.jpeg2000 import JPEG2000, is_lossy
from spacrd_core.images.tiff_series import JPEG

END_MARKER = b"\xff\xd9"
MARKER_BYTES = 2
COLOURS = 3


def page_jpeg(page: Any) -> Jpeg | None:
    """Return the settings with which a page was compressed, by its first segment; None if that was without a loss.

    They are the usual ones if the page's own cannot be repeated.
    """
    key = page.keyframe
    first = _first_segment(page) if key.compression in JPEG | JPEG2000 else b""
    if not first:
        return None
    if key.compression in JPEG2000:
        return Jpeg() if is_lossy(first) else None
    image = JpegImageFile(BytesIO(_with_tables(first, page)))
    settings = jpeg_settings(image, rgb=key.photometric == PHOTOMETRIC.RGB and "jfif" not in image.info)
    return settings if settings is None or len(image.layer) == COLOURS else Jpeg()


def _first_segment(page: Any) -> bytes:
    """Return the first segment that is stored; empty if none is."""
    segments = zip(page.dataoffsets, page.databytecounts, strict=True)
    offset, count = next(((offset, count) for offset, count in segments if count), (0, 0))
    file = page.parent.filehandle
    file.seek(offset)
    return bytes(file.read(count))


def _with_tables(stored: bytes, page: Any) -> bytes:
    """Return a segment as a whole JPEG file: TIFF keeps the tables that its segments share apart."""
    tables = bytes(page.jpegtables or b"").removesuffix(END_MARKER)
    return tables + stored[MARKER_BYTES:] if tables else stored
