"""Shrink by any ratio: each px is the exact mean of what it covers, where Pillow's box takes px whole or not at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from spacrd_core.threads import spread

if TYPE_CHECKING:
    from collections.abc import Callable

    from spacrd_core.arrays import Array

SLIVER = 1e-6
BLOCK = 1024  # columns at a time, side by side: sums of a whole band would take more memory than its pixels


@dataclass(frozen=True)
class Shrink:
    """An image of height x width px, shrunk by ``ratio``.

    A last row or column that the image covers by less than half is left out; one that it covers in part is the mean of
    that part.
    """

    height: int
    width: int
    ratio: float

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of the shrunk image."""
        return _length(self.height, self.ratio), _length(self.width, self.ratio)

    def rows(self, top: int, bottom: int, read: Callable[[int, int], Array]) -> Array:
        """Return shrunk rows; ``read(first, last)`` gives rows of the image, height x width x 3."""
        places, shares = _cover(self.height, self.ratio, top, bottom)
        first, last = int(places.min()), int(places.max()) + 1
        pixels = read(first, last)
        width = self.shape[1]
        shrunk = np.empty((bottom - top, width, 3), dtype=np.uint8)

        def fill(left: int) -> None:
            right = min(left + BLOCK, width)
            columns, parts = _cover(self.width, self.ratio, left, right)
            begin, end = int(columns.min()), int(columns.max()) + 1
            block = pixels[:, begin:end]
            down = sum(share[:, None, None] * block[place - first] for place, share in zip(places, shares, strict=True))
            mean = sum(part[:, None] * down[:, place - begin] for place, part in zip(columns, parts, strict=True))
            shrunk[:, left:right] = np.asarray(mean + 0.5).astype(np.uint8)

        spread(fill, range(0, width, BLOCK))
        return shrunk


def _length(length: int, ratio: float) -> int:
    return max(1, round(length / ratio))


def _cover(length: int, ratio: float, first: int, last: int) -> tuple[Array, Array]:
    """Which px every shrunk px from ``first`` to ``last`` covers, and how much each of them counts; a px a column."""
    begin = np.arange(first, last) * ratio
    end = np.minimum(begin + ratio, length)
    places = np.floor(begin).astype(int) + np.arange(int(np.ceil(ratio)) + 1)[:, None]
    overlap = np.clip(np.minimum(end, places + 1) - np.maximum(begin, places), 0, None)
    used = overlap.max(axis=1) > SLIVER
    shares = overlap[used] / overlap[used].sum(axis=0)
    return np.minimum(places[used], length - 1), shares.astype(np.float32)
