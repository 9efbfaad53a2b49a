"""A coarse sample of an image: mean colours on a grid.

It shows what kind of image it is, how it is turned, and where its tissue is. Only a few rows of every cell are read, so
that a slide is not decoded as a whole.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from spacrd_core.images.raster import open_raster

if TYPE_CHECKING:
    from pathlib import Path

    from spacrd_core.arrays import Array
    from spacrd_core.images.rows import Raster
    from spacrd_core.section.section import SlideFile

CELLS = (
    64  # along a side: enough for the outline of the tissue, coarse enough for slides that differ in focus and stain
)
ROWS_PER_CELL = 32
MAX_BLACK = 24  # blacked-out backgrounds and slide holders; no stain is as dark in the mean of a cell
DARK = 64


@dataclass(frozen=True, eq=False)
class ImageSample:
    """Mean colours of an image (cells x cells x 3) and its width and height in px."""

    colours: Array
    width: int
    height: int

    @property
    def is_black(self) -> Array:
        """The mask of cells without light."""
        return np.asarray(self.colours.max(axis=2) <= MAX_BLACK)

    @property
    def has_dark_edge(self) -> bool:
        """Whether most of the image's edge is dark."""
        light = self.colours.max(axis=2)
        edge = np.concatenate([light[0], light[-1], light[:, 0], light[:, -1]])
        return bool((edge < DARK).mean() > 0.5)

    @property
    def brightness(self) -> Array:
        """The brightness of each cell, with black parts as white as the glass."""
        return np.where(self.is_black, 255.0, self.colours.mean(axis=2))

    @property
    def chroma(self) -> Array:
        """How far each cell is from grey: stained tissue is coloured; glass, black parts and dirt are not."""
        return np.where(self.is_black, 0.0, np.ptp(self.colours, axis=2))


def sample_image(source: SlideFile | Path, cells: int = CELLS) -> ImageSample:
    """Return the sample of an image; one of fewer px than ``cells`` has a cell for each px.

    Raises
    ------
    ImageError
        If the image cannot be read.
    """
    with open_raster(source, whiten=False) as raster:
        down = np.linspace(0, raster.height, min(cells, raster.height) + 1).astype(int)
        across = np.linspace(0, raster.width, min(cells, raster.width) + 1).astype(int)
        rows = [_mean_colours(raster, top, bottom, across) for top, bottom in pairwise(down)]
        return ImageSample(np.stack(rows), raster.width, raster.height)


def _mean_colours(raster: Raster, top: int, bottom: int, across: Array) -> Array:
    row = raster.rows(int(top), int(min(bottom, top + ROWS_PER_CELL))).mean(axis=0)
    return np.asarray(np.add.reduceat(row, across[:-1], axis=0) / np.diff(across)[:, None])
