"""What every open image gives: rows of 8-bit RGB from the top down."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from spacrd_core.arrays import UInt8Array


class Raster(Protocol):
    """An open image; ``notes`` are sentences for the user."""

    width: int
    height: int
    notes: tuple[str, ...]

    def rows(self, top: int, bottom: int) -> UInt8Array:
        """Return the rows ``top`` to ``bottom`` (exclusive), height x width x 3."""
        ...


BAND = 256


class Bands:
    """Bands of about ``BAND`` rows, whole rows of the file's own parts; the last two stay decoded.

    ``decode(top, bottom)`` gives rows of the image, height x width x 3. A file stored as one strip is decoded once.
    """

    def __init__(self, height: int, part_rows: int, decode: Callable[[int, int], UInt8Array]) -> None:
        self.height = height
        self.band_rows = min(-(-BAND // part_rows) * part_rows, height)
        self._decode = decode
        self._band = lru_cache(maxsize=2)(self._read)

    def rows(self, top: int, bottom: int) -> UInt8Array:
        """Return a copy of the rows ``top`` to ``bottom`` (exclusive), which keeps no band in memory."""
        step = self.band_rows
        numbers = range(top // step, -(-bottom // step))
        return np.concatenate([self._band(n)[max(0, top - n * step) : bottom - n * step] for n in numbers])

    def _read(self, number: int) -> UInt8Array:
        return self._decode(number * self.band_rows, min((number + 1) * self.band_rows, self.height))
