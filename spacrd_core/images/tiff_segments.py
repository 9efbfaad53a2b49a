"""The strips and tiles of a TIFF page: read in sequence, decoded in parallel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from spacrd_core.images.background import WHITE
from spacrd_core.images.jpeg2000 import JPEG2000, decode_rgb, holds_ycbcr
from spacrd_core.threads import parallel_map

if TYPE_CHECKING:
    from collections.abc import Iterator

    from spacrd_core.arrays import UInt8Array

SegmentIndex = tuple[int, int, int]  # plane, row and column among a page's segments


class Segments:
    """One page, planes x height x width x samples, decoded in whole rows of strips or tiles."""

    def __init__(self, page: Any) -> None:
        self._page, self._key = page, page.keyframe
        self._tables = {"jpegtables": page.jpegtables, "jpegheader": self._key.jpegheader}
        # Looked up here and not in a thread, because tifffile may read the file for it.
        self._decode = None if self._key.compression in JPEG2000 else self._key.decode
        self._planes, _, self._height, self._width, self._samples = self._key.shaped
        self.rows = min(self._key.tilelength if self._key.is_tiled else self._key.rowsperstrip, self._height)
        self._columns = self._key.tilewidth if self._key.is_tiled else self._width

    def decode(self, top: int, bottom: int) -> UInt8Array:
        """Return the rows ``top`` (the first of a segment) to ``bottom``; segments that are not stored are white."""
        decoded = np.full((self._planes, bottom - top, self._width, self._samples), WHITE, dtype=np.uint8)

        def fill(segment: tuple[int, SegmentIndex, bytes]) -> None:
            index, (plane, row, column), stored = segment
            target = decoded[plane, row * self.rows - top :, column * self._columns :]
            pixels = self._pixels(index, stored)[: target.shape[0], : target.shape[1]]
            target[: pixels.shape[0], : pixels.shape[1]] = pixels

        parallel_map(fill, list(self._stored(top // self.rows, -(-bottom // self.rows))))
        return decoded

    def _stored(self, first: int, last: int) -> Iterator[tuple[int, SegmentIndex, bytes]]:
        """Yield the number, index and bytes of every segment stored in the segment rows ``first`` to ``last``."""
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
