"""Find the spots on tissue, which absorbs more light than the background.

The result shows whether positions and image belong together, so detection is lenient: thin, pale and fatty tissue
counts. All thresholds were set on real H&E (her2st): white, grey, pink and violet backgrounds, printed spots, halos of
washed-out eosin.
"""

import numpy as np
from jaxtyping import Bool, Float, UInt8

from spacrd_core.arrays import Array
from spacrd_core.slide.pyramid import Level, Pyramid

TISSUE_UM_PER_PX = 8.0  # about the size of a nucleus: membranes of fat cells are visible, dust and compression are not
BAND_ROWS = 512
MIN_BRIGHTNESS, MAX_TINT = 170, 32  # lowest channel of the background, and largest difference between its channels
PURE_WHITE = 255  # not photographed: it fills parts that were cut away or not scanned
MIN_BACKGROUND_FRACTION = 0.01  # of the image
MIN_DENSITY = 0.1  # optical density above the background's; halos of eosin reach 0.07, membranes of fat 0.2 and more
MAX_BLACK = 24  # blacked-out backgrounds; no stain is as dark over 8 um
MIN_STAINED_FRACTION = 0.1  # of a spot's footprint; fat is white except for its membranes


def spots_on_tissue(pyramid: Pyramid, centres_um: Float[Array, "n 2"], *, spot_um: float) -> Bool[Array, " n"]:
    """Return the mask of spots on tissue: squares of ``spot_um`` around centres in um of the slide (x, y).

    A spot outside the image is not on tissue.
    """
    level = pyramid.level_for(TISSUE_UM_PER_PX)
    stained = stained_mask(level, background_colour(pyramid))
    return stained_fraction(stained, level.um_per_px, centres_um, spot_um) > MIN_STAINED_FRACTION


def stained_fraction(
    mask: Bool[Array, "height width"], um_per_px: float, centres_um: Float[Array, "n 2"], width_um: float
) -> Float[Array, " n"]:
    """Return the fraction of the px of a mask that are set in squares around centres (x, y); 0 outside the image."""
    sums = _summed_area(mask)
    size = np.array(mask.shape[::-1])
    corners = (centres_um - width_um / 2) / um_per_px
    first = np.floor(corners + 0.5).astype(int)
    last = np.maximum(np.floor(corners + width_um / um_per_px + 0.5).astype(int), first + 1)
    (left, top), (right, bottom) = np.clip(first, 0, size).T, np.clip(last, 0, size).T
    dark = sums[bottom, right] - sums[top, right] - sums[bottom, left] + sums[top, left]
    return np.asarray(dark / np.maximum((right - left) * (bottom - top), 1))


def background_colour(pyramid: Pyramid) -> Float[Array, " 3"]:
    """Return the most common bright, weakly tinted colour of a slide; white if there is none."""
    level = pyramid.levels[-1]
    pixels = level.read(0, level.height, 0, level.width).reshape(-1, 3)
    low, high = pixels.min(axis=1), pixels.max(axis=1)
    bright = pixels[(low >= MIN_BRIGHTNESS) & (high - low <= MAX_TINT) & (low < PURE_WHITE)]
    if len(bright) <= MIN_BACKGROUND_FRACTION * len(pixels):
        return np.full(3, float(PURE_WHITE))
    light = bright.mean(axis=1).astype(int)
    near = np.convolve(np.bincount(light, minlength=256), np.ones(5), mode="same")
    return np.asarray(np.median(bright[np.abs(light - near.argmax()) <= 2], axis=0))


def stained_mask(level: Level, background: Float[Array, " 3"]) -> Bool[Array, "height width"]:
    """Return the mask of px that absorb more light than a background of that colour."""
    mask = np.empty((level.height, level.width), dtype=bool)
    for top in range(0, level.height, BAND_ROWS):
        bottom = min(top + BAND_ROWS, level.height)
        mask[top:bottom] = _absorbs(level.read(top, bottom, 0, level.width), background)
    return mask


def _absorbs(pixels: UInt8[Array, "height width 3"], background: Float[Array, " 3"]) -> Bool[Array, "height width"]:
    """Compare the mean density over channels: a halo of eosin absorbs green only, tissue also red and blue."""
    density = np.log(background / np.maximum(pixels, 1.0)).clip(min=0).mean(axis=-1)
    return np.asarray((density > MIN_DENSITY) & (pixels.max(axis=-1) > MAX_BLACK))


def _summed_area(mask: Bool[Array, "height width"]) -> Array:
    """Return the number of stained px above and left of every corner (a summed-area table)."""
    sums = np.zeros((mask.shape[0] + 1, mask.shape[1] + 1), dtype=np.int64)
    mask.cumsum(axis=0, out=sums[1:, 1:])
    return sums.cumsum(axis=1, out=sums)
