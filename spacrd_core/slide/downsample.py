"""Downsample by any ratio: each px is the exact mean of its area, whereas Pillow's box filter counts only whole px."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from spacrd_core.threads import parallel_map

if TYPE_CHECKING:
    from collections.abc import Callable

    from spacrd_core.arrays import Array

MIN_OVERLAP = 1e-6
BLOCK_COLUMNS = 1024  # columns per parallel block; sums of a whole band would need more memory than its pixels


@dataclass(frozen=True)
class AreaDownsampler:
    """Downsamples an image of height x width px by ``ratio``.

    A last row or column that the image covers by less than half is dropped; a partly covered one is the mean of the
    covered part.
    """

    height: int
    width: int
    ratio: float

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of the downsampled image."""
        return _length(self.height, self.ratio), _length(self.width, self.ratio)

    def rows(self, top: int, bottom: int, read: Callable[[int, int], Array]) -> Array:
        """Return downsampled rows; ``read(first, last)`` returns rows of the image, height x width x 3."""
        rows, row_weights = _cover(self.height, self.ratio, top, bottom)
        first, last = int(rows.min()), int(rows.max()) + 1
        pixels = read(first, last)
        width = self.shape[1]
        downsampled = np.empty((bottom - top, width, 3), dtype=np.uint8)

        def fill(left: int) -> None:
            right = min(left + BLOCK_COLUMNS, width)
            columns, column_weights = _cover(self.width, self.ratio, left, right)
            begin, end = int(columns.min()), int(columns.max()) + 1
            block = pixels[:, begin:end]
            down = sum(w[:, None, None] * block[row - first] for row, w in zip(rows, row_weights, strict=True))
            mean = sum(w[:, None] * down[:, column - begin] for column, w in zip(columns, column_weights, strict=True))
            downsampled[:, left:right] = np.asarray(mean + 0.5).astype(np.uint8)

        parallel_map(fill, range(0, width, BLOCK_COLUMNS))
        return downsampled


def _length(length: int, ratio: float) -> int:
    return max(1, round(length / ratio))


def _cover(length: int, ratio: float, first: int, last: int) -> tuple[Array, Array]:
    """Return the px covered by each downsampled px from ``first`` to ``last``, and their weights; one column per px."""
    begin = np.arange(first, last) * ratio
    end = np.minimum(begin + ratio, length)
    covered = np.floor(begin).astype(int) + np.arange(int(np.ceil(ratio)) + 1)[:, None]
    overlap = np.clip(np.minimum(end, covered + 1) - np.maximum(begin, covered), 0, None)
    used = overlap.max(axis=1) > MIN_OVERLAP
    weights = overlap[used] / overlap[used].sum(axis=0)
    return np.minimum(covered[used], length - 1), weights.astype(np.float32)
