"""Which spots lie on tissue: glass lets the light through that stain takes away.

It tells whether positions and image belong together, so it is lenient: thin, pale and fatty tissue counts. All
thresholds were set on real H&E (her2st): white, grey, pink and violet glass, printed spots, halos of washed-out eosin.
"""

import numpy as np
from jaxtyping import Bool, Float, UInt8

from spacrd_core.arrays import Array
from spacrd_core.slide.pyramid import Level, Pyramid

COARSE_UM = 8.0  # px of about a nucleus: membranes of fat cells still show, dust and compression do not
BAND = 512
BRIGHT, TINT = 170, 32  # glass is at least so bright in every channel, and its channels differ by no more
PAINTED = 255  # pure white was never photographed: it fills what was cut away or not scanned
COMMON = 0.01
STAIN = 0.1  # optical density beyond the glass's; halos of eosin reach 0.07, the membranes of fat 0.2 and more
BLACK = 24  # cut-out backgrounds; no stain is so dark over 8 um
SHARE = 0.1  # of a footprint that must be stained: fat is white but for its membranes


def on_tissue(pyramid: Pyramid, centres_um: Float[Array, "n 2"], *, spot_um: float) -> Bool[Array, " n"]:
    """Return which spots, squares of ``spot_um`` round centres in um of the slide (x, y), show tissue and not glass.

    A spot outside the image is not on tissue.
    """
    level = pyramid.level_for(COARSE_UM)
    sums = _sums(stained(level, glass_colour(pyramid)))
    size = np.array([level.width, level.height])
    corners = (centres_um - spot_um / 2) / level.um_per_px
    first = np.floor(corners + 0.5).astype(int)
    last = np.maximum(np.floor(corners + spot_um / level.um_per_px + 0.5).astype(int), first + 1)
    (left, top), (right, bottom) = np.clip(first, 0, size).T, np.clip(last, 0, size).T
    dark = sums[bottom, right] - sums[top, right] - sums[bottom, left] + sums[top, left]
    area = (right - left) * (bottom - top)
    return np.asarray((area > 0) & (dark > SHARE * area))


def glass_colour(pyramid: Pyramid) -> Float[Array, " 3"]:
    """Return the commonest bright, hardly tinted colour of a slide; white where there is none."""
    level = pyramid.levels[-1]
    pixels = level.read(0, level.height, 0, level.width).reshape(-1, 3)
    low, high = pixels.min(axis=1), pixels.max(axis=1)
    bright = pixels[(low >= BRIGHT) & (high - low <= TINT) & (low < PAINTED)]
    if len(bright) <= COMMON * len(pixels):
        return np.full(3, float(PAINTED))
    light = bright.mean(axis=1).astype(int)
    near = np.convolve(np.bincount(light, minlength=256), np.ones(5), mode="same")
    return np.asarray(np.median(bright[np.abs(light - near.argmax()) <= 2], axis=0))


def stained(level: Level, glass: Float[Array, " 3"]) -> Bool[Array, "height width"]:
    """Return which px of a level take more light away than glass of that colour does."""
    mask = np.empty((level.height, level.width), dtype=bool)
    for top in range(0, level.height, BAND):
        bottom = min(top + BAND, level.height)
        mask[top:bottom] = _absorbs(level.read(top, bottom, 0, level.width), glass)
    return mask


def _absorbs(pixels: UInt8[Array, "height width 3"], glass: Float[Array, " 3"]) -> Bool[Array, "height width"]:
    """The mean over the channels: a halo of eosin takes green alone, tissue takes red and blue as well."""
    density = np.log(glass / np.maximum(pixels, 1.0)).clip(min=0).mean(axis=-1)
    return np.asarray((density > STAIN) & (pixels.max(axis=-1) > BLACK))


def _sums(mask: Bool[Array, "height width"]) -> Array:
    """Return how many px above and to the left of every corner are stained: four of them give any rectangle."""
    sums = np.zeros((mask.shape[0] + 1, mask.shape[1] + 1), dtype=np.int64)
    mask.cumsum(axis=0, out=sums[1:, 1:])
    return sums.cumsum(axis=1, out=sums)
