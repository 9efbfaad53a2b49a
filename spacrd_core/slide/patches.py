"""Cut patches of one physical size round spots, reading every part of the slide once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

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

    @cached_property
    def starts(self) -> Array:
        """Top-left corners of the windows (spots, 2), in whole px of the level."""
        return np.floor(self.corners - self.margin).astype(int)

    def cut(self, rows: Array, batch: int = 64) -> Iterator[Windows]:
        """Yield the windows of these spots in batches, block by block of the slide; beyond its edge is glass."""
        held: list[Windows] = []
        room = batch
        for block in self._blocks(rows):
            region, corner = self._read(block)
            for part in _split(block, room, batch):
                held.append(self._cut(part, region, corner))
                room -= len(part)
                if room == 0:
                    yield _joined(held)
                    held, room = [], batch
        if held:
            yield _joined(held)

    def _blocks(self, rows: Array) -> list[Array]:
        """The spots by blocks of the slide, each block from top left to bottom right."""
        if not len(rows):
            return []
        starts = self.starts[rows]
        blocks = starts // BLOCK_PX
        order = np.lexsort((starts[:, 1], starts[:, 0], blocks[:, 1], blocks[:, 0]))
        breaks = np.flatnonzero((np.diff(blocks[order], axis=0) != 0).any(axis=1)) + 1
        return np.split(rows[order], breaks)

    def _read(self, rows: Array) -> tuple[Array, Array]:
        """Read the rectangle that holds these spots' windows once, 3 x height x width, and its top-left corner."""
        (top, left), (bottom, right) = self.starts[rows].min(axis=0), self.starts[rows].max(axis=0) + self.window_px
        region = np.full((3, bottom - top, right - left), GLASS, dtype=np.uint8)
        y0, y1 = np.clip([top, bottom], 0, self.level.height)
        x0, x1 = np.clip([left, right], 0, self.level.width)
        if y1 > y0 and x1 > x0:
            pixels = self.level.read(int(y0), int(y1), int(x0), int(x1))
            region[:, y0 - top : y1 - top, x0 - left : x1 - left] = np.moveaxis(pixels, -1, 0)
        return region, np.array([top, left])

    def _cut(self, rows: Array, region: Array, corner: Array) -> Windows:
        """Cut these spots' windows out of a rectangle."""
        side = self.window_px
        places = self.starts[rows] - corner
        pixels = np.stack([region[:, y : y + side, x : x + side] for y, x in places])
        return Windows(rows, np.moveaxis(pixels, 1, -1), self.corners[rows] - self.starts[rows])


def _split(rows: Array, first: int, size: int) -> list[Array]:
    """Cut rows after the first few, and after every ``size`` from there on."""
    return [part for part in np.split(rows, range(first, len(rows), size)) if len(part)]


def _joined(parts: Sequence[Windows]) -> Windows:
    if len(parts) == 1:
        return parts[0]
    return Windows(
        np.concatenate([part.rows for part in parts]),
        np.concatenate([part.pixels for part in parts]),
        np.concatenate([part.offsets for part in parts]),
    )
