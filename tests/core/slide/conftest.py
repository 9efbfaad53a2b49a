"""Pixels to read, and a raster that records which rows were read."""

import numpy as np
import pytest

from spacrd_core.arrays import Array
from spacrd_core.images.jpeg import Jpeg


class RecordingRaster:
    """An array as a raster that records the requested rows."""

    notes: tuple[str, ...] = ()
    jpeg: Jpeg | None = None

    def __init__(self, pixels: Array) -> None:
        self.height, self.width = pixels.shape[:2]
        self.pixels = pixels
        self.requests: list[tuple[int, int]] = []

    def rows(self, top: int, bottom: int) -> Array:
        assert 0 <= top < bottom <= self.height
        self.requests.append((top, bottom))
        return self.pixels[top:bottom]


@pytest.fixture
def recording() -> type[RecordingRaster]:
    return RecordingRaster


@pytest.fixture
def noise() -> Array:
    """37 x 53 px of noise: odd sides, and no two parts alike."""
    return np.random.default_rng(0).integers(0, 256, (37, 53, 3), dtype=np.uint8)
