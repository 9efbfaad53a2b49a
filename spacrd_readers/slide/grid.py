"""A grid of spots on the tissue of a slide."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from spacrd_core.slide.pen import pen_mask
from spacrd_core.slide.tissue import TISSUE_UM_PER_PX, background_colour, stained_fraction, stained_mask

if TYPE_CHECKING:
    from jaxtyping import Bool, Int

    from spacrd_core.arrays import Array
    from spacrd_core.slide.pyramid import Pyramid

MIN_TISSUE = 0.25  # of a spot's square: less is a rim, or a speck
MAX_PEN = 0.5  # of what is stained in a spot's square
MIN_PIECE_SPOTS = 4  # a smaller piece of tissue is debris


def grid_on_tissue(overview: Pyramid, pitch_um: float) -> tuple[Int[Array, "spots 2"], int]:
    """Return column and row of the squares of a grid that lie on tissue, row by row, and how many pen marks cover.

    The grid starts in the top-left corner of the slide. Specks of fewer than four neighbouring squares are left out.
    """
    level = overview.level_for(TISSUE_UM_PER_PX)
    shape = tuple(max(1, round(size * level.um_per_px / pitch_um)) for size in (level.height, level.width))
    row, column = (axis.ravel() for axis in np.indices(shape))
    centres_um = (np.column_stack([column, row]) + 0.5) * pitch_um
    stained = stained_mask(level, background_colour(overview))
    inked = stained & pen_mask(level)
    stain, ink = (stained_fraction(mask, level.um_per_px, centres_um, pitch_um) for mask in (stained, inked))
    marked = (ink > MAX_PEN * stain) & (stain >= MIN_TISSUE)
    tissue = _without_specks(((stain - ink) >= MIN_TISSUE).reshape(shape) & ~marked.reshape(shape))
    kept_row, kept_column = np.nonzero(tissue)
    return np.column_stack([kept_column, kept_row]), int(marked.sum())


def _without_specks(tissue: Bool[Array, "rows columns"]) -> Bool[Array, "rows columns"]:
    pieces, count = ndimage.label(tissue, structure=np.ones((3, 3)))
    sizes = np.bincount(pieces.ravel(), minlength=count + 1)
    sizes[0] = 0
    return np.asarray(sizes[pieces] >= MIN_PIECE_SPOTS)
