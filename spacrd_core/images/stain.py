"""Tell an H&E from fluorescence and from grey images, which an encoder would accept as stained tissue."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from spacrd_core.errors import ImageError

if TYPE_CHECKING:
    from spacrd_core.images.sample import ImageSample

# Where the edge of an image is dark, at least 85 % of the other cells look like stained tissue in real H&E on black,
# with changed stains too. In fluorescence (one dye, three dyes, inverted pictures) it is mostly none, and up to 54 %
# where three dyes overlap everywhere. A dark slide holder has bright glass in it.
MIN_HE_SHARE, SURE_HE_SHARE = 0.5, 0.8
GLASS, MAX_TINT, MIN_GLASS_SHARE = 150, 40, 0.05
MIN_CHANNEL = 40  # H&E is transmitted light: its darkest colour is brighter than that
MAX_GREEN_EXCESS = 4  # over red and blue: eosin and haematoxylin absorb green most
MAX_GREY_CHROMA = 8  # rounding and compression; pale H&E has 25 in a quarter of the cells
MIN_CONTRAST = 30  # a blank image is neither
HE_HINT = "give the H&E image of this section with --image FILE, or use the genes alone with --no-image"


def stain_error(sample: ImageSample, name: str) -> ImageError | None:
    """Return why an image is no H&E; None if it may be one."""
    if is_fluorescence(sample):
        return ImageError(f"{name} shows light on a dark ground, as fluorescence does: it is no H&E", hint=HE_HINT)
    light = sample.colours.mean(axis=2)
    if np.ptp(light) >= MIN_CONTRAST and sample.chroma.max() <= MAX_GREY_CHROMA:
        return ImageError(f"{name} is grey: it shows no stain colours, so it is no H&E", hint=HE_HINT)
    return None


def is_fluorescence(sample: ImageSample) -> bool:
    """Return whether an image evidently shows light on a dark ground."""
    return _he_share(sample) < MIN_HE_SHARE


def stain_notes(sample: ImageSample, name: str) -> tuple[str, ...]:
    """Return a note if an image may be fluorescence."""
    return (f"{name} has a dark ground: is it an H&E?",) if _he_share(sample) < SURE_HE_SHARE else ()


def _he_share(sample: ImageSample) -> float:
    """Return the share of the cells on a dark ground that look like stained tissue; 1 on a bright ground."""
    lit = sample.colours[~sample.is_black]
    glass = ((sample.colours.min(axis=2) >= GLASS) & (sample.chroma <= MAX_TINT)).mean()
    if not sample.has_dark_edge or glass >= MIN_GLASS_SHARE or not len(lit):
        return 1.0
    red, green, blue = lit.T
    like = (lit.min(axis=1) >= MIN_CHANNEL) & (green <= np.maximum(red, blue) + MAX_GREEN_EXCESS)
    return float(like.mean())
