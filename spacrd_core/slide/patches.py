"""Cut patches of one physical size round spots, decoding every part of the slide once."""

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
    from spacrd_core.slide.chunks import Place
    from spacrd_core.slide.pyramid import Level, Pyramid

GLASS = 255
REACH = 2  # px that the widest filter looks beyond a patch, of the patch or of the level, whichever are larger


@dataclass(frozen=True)
class Windows:
    """Pixels round some spots, on the grid of a level.

    ``pixels`` (spots, height, width, 3) hold a little more than each patch; ``offsets`` (spots, 2) say where in them,
    in px down and right, the patch begins. ``rows`` are the spots' places in the section.
    """

    rows: Array
    pixels: Array
    offsets: Array

    def __getitem__(self, some: slice) -> Self:
        """Return some of them."""
        return type(self)(self.rows[some], self.pixels[some], self.offsets[some])


@dataclass(frozen=True)
class PatchPlan:
    """Where every spot's patch lies on the level it is cut from.

    Attributes
    ----------
    level
        The coarsest level that is at least as fine as the patch is wanted.
    corners
        Top-left corners (spots, 2), y before x, in px of the level; fractional.
    side
        The patch's width in px of the level; fractional.
    margin
        How far resampling looks beyond the patch at most, in px of the level.
    """

    level: Level
    corners: Array
    side: float
    margin: float

    @classmethod
    def of(cls, pyramid: Pyramid, centres_um: Array, *, patch_um: float, patch_px: int) -> Self:
        """Plan patches of ``patch_um``, to be resampled to ``patch_px``, round centres (spots, 2) in um, x before y."""
        level = pyramid.level_for(patch_um / patch_px)
        side = patch_um / level.um_per_px
        corners = centres_um[:, ::-1] / level.um_per_px - side / 2
        return cls(level, corners, side, REACH * max(1.0, side / patch_px))

    @property
    def coverage(self) -> Array:
        """The share of each patch inside the slide."""
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

    def cut(self, rows: Array, batch: int = 64, *, readers: int = 1) -> Generator[Windows, None, None]:
        """Yield the windows of these spots in batches, chunk by chunk of the slide; beyond its edge is glass."""
        chunks = Chunks(self.level)
        rows, needs = self._route(rows, chunks.side)
        with closing(chunks.visit(needs, readers=readers)) as visits:
            for first in range(0, len(rows), batch):
                yield self._filled(rows[first : first + batch], visits, chunks.side)

    def _filled(self, rows: Array, visits: Iterator[dict[Place, Array]], side: int) -> Windows:
        pixels = np.full((len(rows), self.window_px, 3, self.window_px), GLASS, dtype=np.uint8)
        for window, start in zip(pixels, self.starts[rows], strict=True):
            for place, chunk in next(visits).items():
                _paste(window, chunk, np.multiply(place, side) - start)
        return Windows(rows, np.moveaxis(pixels, 2, -1), self.corners[rows] - self.starts[rows])

    def _route(self, rows: Array, side: int) -> tuple[Array, list[list[Place]]]:
        """Put spots in an order in which few chunks are needed at a time, and list the chunks of each.

        The slide is swept in lines of chunks along the shorter side of what the spots cover: the chunks that wait for
        spots of the next line are no more than one such line.
        """
        bounds = np.array([self.level.height, self.level.width])
        starts, ends = self.starts[rows], self.starts[rows] + self.window_px
        first, last = starts.clip(0, bounds - 1) // side, (ends - 1).clip(0, bounds - 1) // side
        last[np.any((starts >= bounds) | (ends <= 0), axis=1)] = -1  # nothing of the slide
        short, long = np.argsort(np.ptp(first, axis=0)) if len(rows) else (0, 1)
        order = np.lexsort((starts[:, 1], starts[:, 0], first[:, short], first[:, long]))
        return rows[order], [_between(*span) for span in np.hstack([first, last])[order].tolist()]


def _between(top: int, left: int, bottom: int, right: int) -> list[Place]:
    return list(product(range(top, bottom + 1), range(left, right + 1)))


def _paste(window: Array, chunk: Array, corner: Array) -> None:
    """Copy what a window, height x 3 x width, shows of a chunk, 3 x height x width, that begins at its ``corner``."""
    top, left = corner.tolist()
    part = chunk[:, max(-top, 0) : len(window) - top, max(-left, 0) : len(window) - left]
    top, left = max(top, 0), max(left, 0)
    window[top : top + part.shape[1], :, left : left + part.shape[2]] = part.swapaxes(0, 1)
