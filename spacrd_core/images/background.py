"""Blacked-out backgrounds: some H&E is cut out and pasted on black, which an encoder takes for the densest stain."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image
from scipy.ndimage import maximum_filter, minimum_filter

if TYPE_CHECKING:
    from spacrd_core.arrays import Array
    from spacrd_core.images.rows import Raster


BLACK = 8
DARK = 24  # compression and pen outlines lift painted black this far; stained tissue stays brighter in one channel
CORE = 2  # background is dark in a square of 2 * CORE + 1 px, which no nucleus fills
RIM = 2  # where interpolation mixed the black into the tissue's edge
HALO = 2 * CORE + RIM
SAMPLES = 16
PAINTED = "the image's background is blacked out; it was painted white"


def is_blacked_out(raster: Raster) -> bool:
    """Whether most of the image's border is black, each of its sides counting alike."""
    height = raster.height
    rows = [raster.rows(row, row + 1)[0] for row in np.unique(np.linspace(0, height - 1, SAMPLES).astype(int))]
    sides = (rows[0], rows[-1], np.stack([row[0] for row in rows]), np.stack([row[-1] for row in rows]))
    return bool(np.mean([(side <= BLACK).all(axis=1).mean() for side in sides]) > 0.5)


class Whitened:
    """An image whose blacked-out background is shown as glass, as is the dark rim it leaves round the tissue."""

    def __init__(self, raster: Raster) -> None:
        self.height, self.width = raster.height, raster.width
        self.notes = (*raster.notes, PAINTED)
        self._raster = raster

    def rows(self, top: int, bottom: int) -> Array:
        """Return rows; what is painted does not depend on which rows are asked for."""
        first, last = max(0, top - HALO), min(self.height, bottom + HALO)
        pixels = self._raster.rows(first, last)
        wanted = slice(top - first, bottom - first)
        painted = pixels[wanted].copy()
        painted[_background(pixels)[wanted]] = 255
        return painted


def _background(pixels: Array) -> Array:
    dark = (pixels <= DARK).all(axis=2).astype(np.uint8)
    core = minimum_filter(dark, 2 * CORE + 1, mode="nearest")
    return np.asarray(maximum_filter(core, 2 * (CORE + RIM) + 1, mode="nearest"), dtype=bool)


GLASS = 255
WHITE = (GLASS, GLASS, GLASS)


def over_glass(rgba: Array, *, colour: tuple[int, int, int] = WHITE) -> Array:
    """Return RGBA (height x width x 4) as RGB, as it looks over glass of a colour."""
    if (rgba[..., 3] == 255).all():
        return rgba[..., :3]
    picture = Image.fromarray(np.ascontiguousarray(rgba))
    glass = Image.new("RGBA", picture.size, colour)
    return np.asarray(Image.alpha_composite(glass, picture).convert("RGB"))


def premultiplied_over_white(rgba: Array) -> Array:
    """Return RGBA whose colours are multiplied by their opacity already (TIFF: associated alpha) over white glass."""
    light = np.minimum(rgba[..., :3], rgba[..., 3:])  # a colour brighter than its opacity is no colour
    return np.asarray(light + (255 - rgba[..., 3:]))
