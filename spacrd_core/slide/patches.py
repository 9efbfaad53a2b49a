"""Cut patches of one physical size around spots, decoding every part of the slide once."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import TYPE_CHECKING, Self

import numpy as np

from spacrd_core.slide.chunks import Chunks

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from spacrd_core.arrays import Array
    from spacrd_core.slide.chunks import ChunkIndex
    from spacrd_core.slide.pyramid import Level, Pyramid

BACKGROUND = 255
FILTER_RADIUS = 2  # of the widest filter, in px of the patch or of the level, whichever are larger


@dataclass(frozen=True)
class Windows:
    """Pixels around a batch of spots, on the grid of a level.

    ``pixels`` (spots, height, width, 3) contain each patch and a margin; ``offsets`` (spots, 2) are the patch's
    top-left corner in them, in px down and right. ``rows`` are the spots' indices in the section.
    """

    rows: Array
    pixels: Array
    offsets: Array

    def __getitem__(self, index: slice) -> Self:
        """Return a part of the batch."""
        return type(self)(self.rows[index], self.pixels[index], self.offsets[index])


@dataclass(frozen=True)
class PatchPlan:
    """The position of every spot's patch on the level it is cut from.

    Attributes
    ----------
    level
        The coarsest level that is at least as fine as the patch.
    corners
        Top-left corners (spots, 2), y before x, in px of the level; fractional.
    side
        The patch's width in px of the level; fractional.
    margin
        The largest distance beyond the patch that resampling reads, in px of the level.
    """

    level: Level
    corners: Array
    side: float
    margin: float

    @classmethod
    def from_centres(cls, pyramid: Pyramid, centres_um: Array, *, patch_um: float, patch_px: int) -> Self:
        """Plan patches of ``patch_um``, resampled to ``patch_px``, around centres (spots, 2) in um, x before y."""
        level = pyramid.level_for(patch_um / patch_px)
        side = patch_um / level.um_per_px
        corners = centres_um[:, ::-1] / level.um_per_px - side / 2
        return cls(level, corners, side, FILTER_RADIUS * max(1.0, side / patch_px))

    @property
    def coverage(self) -> Array:
        """The fraction of each patch inside the slide."""
        bounds = np.array([self.level.height, self.level.width])
        inside = np.minimum(self.corners + self.side, bounds) - np.maximum(self.corners, 0)
        return np.asarray(np.clip(inside / self.side, 0, 1).prod(axis=1), dtype=np.float32)

    @property
    def window_px(self) -> int:
        """The side of every window."""
        return int(np.ceil(self.side + 2 * self.margin)) + 1

    @cached_property
    def starts(self) -> Array:
        """Top-left corners of the windows (spots, 2), in whole px of the level."""
        return np.floor(self.corners - self.margin).astype(int)

    def cut(self, rows: Array, batch: int = 64, *, reader_threads: int = 1) -> Generator[Windows, None, None]:
        """Yield the windows of these spots in batches, in the order of the slide's chunks; beyond its edge is white."""
        chunks = Chunks(self.level)
        rows, needs = self._route(rows, chunks.side)
        with closing(chunks.visit(needs, reader_threads=reader_threads)) as visits:
            for first in range(0, len(rows), batch):
                yield self._filled(rows[first : first + batch], visits, chunks.side)

    def _filled(self, rows: Array, visits: Iterator[dict[ChunkIndex, Array]], side: int) -> Windows:
        pixels = np.full((len(rows), self.window_px, 3, self.window_px), BACKGROUND, dtype=np.uint8)
        for window, start in zip(pixels, self.starts[rows], strict=True):
            for index, chunk in next(visits).items():
                _paste(window, chunk, np.multiply(index, side) - start)
        return Windows(rows, np.moveaxis(pixels, 2, -1), self.corners[rows] - self.starts[rows])

    def _route(self, rows: Array, side: int) -> tuple[Array, list[list[ChunkIndex]]]:
        """Order spots so that few chunks are needed at a time, and list the chunks of each spot.

        The slide is traversed in lines of chunks along the shorter side of the spots' extent, so at most one line of
        chunks is kept for the spots of the next line.
        """
        bounds = np.array([self.level.height, self.level.width])
        starts, ends = self.starts[rows], self.starts[rows] + self.window_px
        first, last = starts.clip(0, bounds - 1) // side, (ends - 1).clip(0, bounds - 1) // side
        last[np.any((starts >= bounds) | (ends <= 0), axis=1)] = -1  # outside the slide
        short, long = np.argsort(np.ptp(first, axis=0)) if len(rows) else (0, 1)
        order = np.lexsort((starts[:, 1], starts[:, 0], first[:, short], first[:, long]))
        return rows[order], [_between(*span) for span in np.hstack([first, last])[order].tolist()]


def _between(top: int, left: int, bottom: int, right: int) -> list[ChunkIndex]:
    return list(product(range(top, bottom + 1), range(left, right + 1)))


def _paste(window: Array, chunk: Array, corner: Array) -> None:
    """Copy a chunk, 3 x height x width, into a window, height x 3 x width, at the window's px ``corner``."""
    top, left = corner.tolist()
    part = chunk[:, max(-top, 0) : len(window) - top, max(-left, 0) : len(window) - left]
    top, left = max(top, 0), max(left, 0)
    window[top : top + part.shape[1], :, left : left + part.shape[2]] = part.swapaxes(0, 1)
