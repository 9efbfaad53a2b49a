"""Rows of an image that can only be decoded in whole bands of its own strips or tiles."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

Array = np.ndarray[Any, np.dtype[np.uint8]]
BAND = 256


class Bands:
    """Bands of about ``BAND`` rows, whole rows of the file's own parts; the last two stay decoded.

    ``decode(top, bottom)`` gives rows of the image, height x width x 3. A file stored as one strip is decoded once.
    """

    def __init__(self, height: int, part_rows: int, decode: Callable[[int, int], Array]) -> None:
        self.height = height
        self.band_rows = min(-(-BAND // part_rows) * part_rows, height)
        self._decode = decode
        self._band = lru_cache(maxsize=2)(self._read)

    def rows(self, top: int, bottom: int) -> Array:
        """Return a copy of the rows ``top`` to ``bottom`` (exclusive), which keeps no band in memory."""
        step = self.band_rows
        numbers = range(top // step, -(-bottom // step))
        return np.concatenate([self._band(n)[max(0, top - n * step) : bottom - n * step] for n in numbers])

    def _read(self, number: int) -> Array:
        return self._decode(number * self.band_rows, min((number + 1) * self.band_rows, self.height))
