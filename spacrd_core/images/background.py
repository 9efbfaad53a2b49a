"""The background of an image: transparency is flattened over white, and blacked-out backgrounds are whitened.

Some H&E images are cut out and pasted on black, which an encoder would read as the densest stain.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image
from scipy.ndimage import maximum_filter, minimum_filter

if TYPE_CHECKING:
    from spacrd_core.arrays import Array
    from spacrd_core.images.rows import Raster

WHITE = 255
WHITE_RGB = (WHITE, WHITE, WHITE)
MAX_BLACK = 8
MAX_DARK = 24  # compression and pen outlines brighten black this far; stained tissue is brighter in one channel
CORE_PX = 2  # background is dark in a square of 2 * CORE_PX + 1 px, which no nucleus fills
RIM_PX = 2  # width of the tissue's edge where interpolation mixed in black
HALO_PX = 2 * CORE_PX + RIM_PX
SAMPLED_ROWS = 16
WHITENED_NOTE = "the image has a blacked-out background, which was replaced by white"


def flatten_alpha(rgba: Array, *, colour: tuple[int, int, int] = WHITE_RGB) -> Array:
    """Return RGBA (height x width x 4) as RGB over a background of one colour."""
    if (rgba[..., 3] == 255).all():
        return rgba[..., :3]
    image = Image.fromarray(np.ascontiguousarray(rgba))
    background = Image.new("RGBA", image.size, colour)
    return np.asarray(Image.alpha_composite(background, image).convert("RGB"))


def flatten_premultiplied_alpha(rgba: Array) -> Array:
    """Return RGBA with colours already multiplied by their opacity (TIFF: associated alpha) as RGB over white."""
    light = np.minimum(rgba[..., :3], rgba[..., 3:])  # a colour brighter than its opacity is invalid
    return np.asarray(light + (WHITE - rgba[..., 3:]))


def has_black_background(raster: Raster) -> bool:
    """Return whether most of the image's border is black; the four sides have equal weight."""
    height = raster.height
    rows = [raster.rows(row, row + 1)[0] for row in np.unique(np.linspace(0, height - 1, SAMPLED_ROWS).astype(int))]
    sides = (rows[0], rows[-1], np.stack([row[0] for row in rows]), np.stack([row[-1] for row in rows]))
    return bool(np.mean([(side <= MAX_BLACK).all(axis=1).mean() for side in sides]) > 0.5)


class WhiteBackground:
    """An image in which a blacked-out background and the dark rim around the tissue are replaced by white."""

    def __init__(self, raster: Raster) -> None:
        self.height, self.width = raster.height, raster.width
        self.notes = (*raster.notes, WHITENED_NOTE)
        self.jpeg = raster.jpeg
        self._raster = raster

    def rows(self, top: int, bottom: int) -> Array:
        """Return the rows ``top`` to ``bottom``; the result does not depend on how the image is divided into rows."""
        first, last = max(0, top - HALO_PX), min(self.height, bottom + HALO_PX)
        pixels = self._raster.rows(first, last)
        inner = slice(top - first, bottom - first)
        whitened = pixels[inner].copy()
        whitened[_background_mask(pixels)[inner]] = WHITE
        return whitened


def _background_mask(pixels: Array) -> Array:
    dark = (pixels <= MAX_DARK).all(axis=2).astype(np.uint8)
    core = minimum_filter(dark, 2 * CORE_PX + 1, mode="nearest")
    return np.asarray(maximum_filter(core, 2 * (CORE_PX + RIM_PX) + 1, mode="nearest"), dtype=bool)
