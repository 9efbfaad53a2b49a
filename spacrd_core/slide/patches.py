"""Cut patches of one physical size round spots, reading every part of the slide once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from spacrd_core.slide.pyramid import Level, Pyramid

Array = np.ndarray[Any, Any]
BLOCK_PX = 2048
GLASS = 255


@dataclass(frozen=True)
class Windows:
    """Pixels round some spots, on the grid of a level.

    ``pixels`` (spots, height, width, 3) hold a little more than each patch; ``offsets`` (spots, 2) say where in them,
    in px down and right, the patch begins. ``rows`` are the spots' places in the section.
    """

    rows: Array
    pixels: Array
    offsets: Array


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
        How far resampling looks beyond the patch, in px of the level.
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
        return cls(level, corners, side, max(1.0, side / patch_px))

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

    def cut(self, rows: Array) -> Iterator[Windows]:
        """Yield the windows of these spots, block by block of the slide; beyond its edge is glass."""
        starts = np.floor(self.corners[rows] - self.margin).astype(int)
        blocks = starts // BLOCK_PX
        order = np.lexsort((starts[:, 1], starts[:, 0], blocks[:, 1], blocks[:, 0]))
        breaks = np.flatnonzero((np.diff(blocks[order], axis=0) != 0).any(axis=1)) + 1
        for block in np.split(order, breaks):
            if len(block):
                pixels = self._read(starts[block])
                yield Windows(rows[block], pixels, self.corners[rows[block]] - starts[block])

    def _read(self, starts: Array) -> Array:
        """Read the rectangle that holds all windows once, and cut them out of it."""
        top, left = starts.min(axis=0)
        bottom, right = starts.max(axis=0) + self.window_px
        region = np.full((bottom - top, right - left, 3), GLASS, dtype=np.uint8)
        y0, y1 = np.clip([top, bottom], 0, self.level.height)
        x0, x1 = np.clip([left, right], 0, self.level.width)
        if y1 > y0 and x1 > x0:
            region[y0 - top : y1 - top, x0 - left : x1 - left] = self.level.read(int(y0), int(y1), int(x0), int(x1))
        views = np.lib.stride_tricks.sliding_window_view(region, (self.window_px, self.window_px), axis=(0, 1))
        return np.moveaxis(views[starts[:, 0] - top, starts[:, 1] - left], 1, -1)
