"""The interface of an open image, and a decoder that reads rows in bands."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from spacrd_core.arrays import UInt8Array
    from spacrd_core.images.jpeg import Jpeg


class Raster(Protocol):
    """An open image, read as rows of 8-bit RGB.

    ``notes`` are sentences for the user. ``jpeg`` tells how it may be compressed again without a loss worth keeping it
    from; None if its pixels were never compressed with a loss.
    """

    width: int
    height: int
    notes: tuple[str, ...]
    jpeg: Jpeg | None

    def rows(self, top: int, bottom: int) -> UInt8Array:
        """Return the rows ``top`` to ``bottom`` (exclusive), height x width x 3."""
        ...


MIN_BAND_ROWS = 256


class BandDecoder:
    """Reads any rows of an image by decoding bands of whole segment rows; the last two bands stay in memory.

    A band has at least ``MIN_BAND_ROWS`` rows. ``decode(top, bottom)`` returns rows of the image, height x width x 3. A
    file stored as one strip is decoded once.
    """

    def __init__(self, height: int, segment_rows: int, decode: Callable[[int, int], UInt8Array]) -> None:
        self.height = height
        self.band_rows = min(-(-MIN_BAND_ROWS // segment_rows) * segment_rows, height)
        self._decode = decode
        self._band = lru_cache(maxsize=2)(self._decode_band)

    def rows(self, top: int, bottom: int) -> UInt8Array:
        """Return a copy of the rows ``top`` to ``bottom`` (exclusive), which does not keep a band in memory."""
        step = self.band_rows
        numbers = range(top // step, -(-bottom // step))
        return np.concatenate([self._band(n)[max(0, top - n * step) : bottom - n * step] for n in numbers])

    def _decode_band(self, number: int) -> UInt8Array:
        return self._decode(number * self.band_rows, min((number + 1) * self.band_rows, self.height))
