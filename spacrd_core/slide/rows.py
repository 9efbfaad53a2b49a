"""What every open image gives: rows of 8-bit RGB from the top down."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

Array = np.ndarray[Any, np.dtype[np.uint8]]


class Raster(Protocol):
    """An open image; ``notes`` are sentences for the user."""

    width: int
    height: int
    notes: tuple[str, ...]

    def rows(self, top: int, bottom: int) -> Array:
        """Return the rows ``top`` to ``bottom`` (exclusive), height x width x 3."""
        ...
