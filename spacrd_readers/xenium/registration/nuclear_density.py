"""Map how densely an H&E is stained with haematoxylin, which is in its nuclei.

Haematoxylin absorbs red light and eosin hardly does (0.65 and 0.07 of their optical densities; Ruifrok and Johnston,
"Quantification of histochemical staining by color deconvolution", Anal Quant Cytol Histol 2001). The optical density of
red therefore shows the nuclei without knowing the stain colours of the laboratory.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from spacrd_core.images.metadata import image_um_per_px
from spacrd_core.images.raster import open_raster
from spacrd_core.slide.pyramid import overview
from spacrd_core.slide.tissue import PURE_WHITE

if TYPE_CHECKING:
    from pathlib import Path

    from spacrd_core.arrays import Array
    from spacrd_core.slide.pyramid import Pyramid

MAP_UM = 8.0  # um per px of the map: about a nucleus
LONGEST_PX, MAX_LONGEST_PX = 1600, 4000  # longest side of the map: if the um/px are unknown, and at most
GLASS_PERCENTILE = 98.0  # of the light; the rest is dust and reflections
MIN_DENSITY = 0.1  # of tissue, in the mean of the channels
STEPS_PER_OCTAVE = 4  # the widths of Gaussians are rounded, so that the smoothed maps can be kept


class NuclearDensity:
    """Optical density of red light, on a coarse copy of an image.

    Attributes
    ----------
    values, colours
        The density (height x width) and the copy (height x width x 3).
    image_px_per_px
        Px of the image per px of the map, along a side.
    um_per_px
        Of the map, as the image file states; None if it does not.
    tissue_px
        The number of px of the map on tissue.
    """

    def __init__(self, copy: Pyramid, image_px_per_px: float, um_per_px: float | None) -> None:
        level = copy.levels[0]
        self.colours = level.read(0, level.height, 0, level.width)
        self.image_px_per_px, self.um_per_px = image_px_per_px, um_per_px
        density = _optical_density(self.colours)
        self.values = np.ascontiguousarray(density[..., 0])
        self.tissue_px = float((density.mean(axis=-1) > MIN_DENSITY).sum())
        self._smoothed: dict[int, Array] = {}

    def smoothed(self, sigma_px: float) -> Array:
        """Return the map smoothed by a Gaussian of about this width."""
        step = round(STEPS_PER_OCTAVE * np.log2(max(sigma_px, 0.5)))
        if step not in self._smoothed:
            width = 2.0 ** (step / STEPS_PER_OCTAVE)
            self._smoothed[step] = ndimage.gaussian_filter(self.values, width, mode="nearest", truncate=3.0)
        return self._smoothed[step]


def _optical_density(colours: Array) -> Array:
    """Return the density of each channel against the brightest parts: glass, or the palest tissue if there is none."""
    photographed = colours[colours.min(axis=-1) < PURE_WHITE]
    light = np.percentile(photographed, GLASS_PERCENTILE, axis=0) if len(photographed) else np.full(3, PURE_WHITE)
    return np.log(light.astype(np.float32) / np.maximum(colours, np.float32(1.0))).clip(min=0)


def read_nuclear_density(image: Path) -> NuclearDensity:
    """Return the nuclear density of an H&E, which is read once, in bands of rows.

    Raises
    ------
    ImageError
        If the image cannot be read.
    """
    stated = image_um_per_px(image)
    with open_raster(image) as raster:
        longest = max(raster.height, raster.width)
        ratio = max(1.0, longest / MAX_LONGEST_PX, MAP_UM / stated if stated else longest / LONGEST_PX)
        copy = overview(raster, 1.0, ratio)
    return NuclearDensity(copy, ratio, stated * ratio if stated else None)
