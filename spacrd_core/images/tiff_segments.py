"""The strips and tiles of a TIFF's page: read in turn, decoded side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from spacrd_core.images.background import GLASS
from spacrd_core.images.jpeg2000 import JPEG2000, decode_rgb, holds_ycbcr
from spacrd_core.threads import spread

if TYPE_CHECKING:
    from collections.abc import Iterator

    from spacrd_core.arrays import UInt8Array

Place = tuple[int, int, int]  # plane, row and column among a page's segments


class Segments:
    """One page, planes x height x width x samples, decoded by whole rows of its strips or tiles."""

    def __init__(self, page: Any) -> None:
        self._page, self._key = page, page.keyframe
        self._tables = {"jpegtables": page.jpegtables, "jpegheader": self._key.jpegheader}
        self._decode = None if self._key.compression in JPEG2000 else self._key.decode  # looks into the file: not later
        self._planes, _, self._height, self._width, self._samples = self._key.shaped
        self.rows = min(self._key.tilelength if self._key.is_tiled else self._key.rowsperstrip, self._height)
        self._columns = self._key.tilewidth if self._key.is_tiled else self._width

    def decode(self, top: int, bottom: int) -> UInt8Array:
        """Return rows; ``top`` begins a row of segments. What was never stored is glass."""
        shown = np.full((self._planes, bottom - top, self._width, self._samples), GLASS, dtype=np.uint8)

        def paint(segment: tuple[int, Place, bytes]) -> None:
            index, (plane, row, column), stored = segment
            space = shown[plane, row * self.rows - top :, column * self._columns :]
            pixels = self._pixels(index, stored)[: space.shape[0], : space.shape[1]]
            space[: pixels.shape[0], : pixels.shape[1]] = pixels

        spread(paint, list(self._stored(top // self.rows, -(-bottom // self.rows))))
        return shown

    def _stored(self, first: int, last: int) -> Iterator[tuple[int, Place, bytes]]:
        """The number, the place and the bytes of every segment stored in these rows of them."""
        file = self._page.parent.filehandle
        down, across = -(-self._height // self.rows), -(-self._width // self._columns)
        for plane, row, column in np.ndindex(self._planes, last - first, across):
            index = (plane * down + first + row) * across + column
            if self._page.databytecounts[index]:
                file.seek(self._page.dataoffsets[index])
                yield index, (plane, first + row, column), file.read(self._page.databytecounts[index])

    def _pixels(self, index: int, stored: bytes) -> UInt8Array:
        """Return a segment, height x width x samples."""
        if self._decode is None:
            return decode_rgb(stored, ycbcr=holds_ycbcr(self._key))
        pixels, _, _ = self._decode(stored, index, **self._tables)
        return np.asarray(pixels[0])
