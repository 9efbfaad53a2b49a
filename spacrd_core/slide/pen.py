"""Marks of felt-tip pens on a slide, which are neither tissue nor glass.

The two stains of an H&E absorb green light most: haematoxylin absorbs red nearly as much and blue half as much, eosin
almost green alone (Ruifrok and Johnston 2001). Blue and green ink absorb red most; black ink absorbs all colours alike.
Red ink looks like eosin and blood, and is not found.
"""

import numpy as np
from jaxtyping import Bool

from spacrd_core.arrays import Array
from spacrd_core.slide.pyramid import Level

BAND_ROWS = 512
MIN_DENSITY = 0.25  # optical density; paler px have no reliable colour
MIN_RED_RATIO = 1.2  # density of red over green; the bluest haematoxylin has 1.1
MAX_BLACK, MAX_BLACK_TINT = 70, 20  # lightest channel of black ink, and the largest difference between its channels


def pen_mask(level: Level) -> Bool[Array, "height width"]:
    """Return the mask of px that are blue, green or black ink."""
    mask = np.empty((level.height, level.width), dtype=bool)
    for top in range(0, level.height, BAND_ROWS):
        bottom = min(top + BAND_ROWS, level.height)
        mask[top:bottom] = _is_ink(level.read(top, bottom, 0, level.width))
    return mask


def _is_ink(pixels: Array) -> Bool[Array, "height width"]:
    density = -np.log10(np.maximum(pixels, 1) / 255.0)
    red, green = density[..., 0], density[..., 1]
    coloured = (red > MIN_DENSITY) & (red > MIN_RED_RATIO * green)
    lightest = pixels.max(axis=-1)
    black = (lightest <= MAX_BLACK) & (lightest - pixels.min(axis=-1) <= MAX_BLACK_TINT)
    return np.asarray(coloured | black)
