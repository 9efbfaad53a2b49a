"""Tell an H&E from fluorescence and from grey images, which an encoder would accept as stained tissue."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from spacrd_core.errors import ImageError

if TYPE_CHECKING:
    from spacrd_core.images.sample import ImageSample

# Where the edge of an image is dark, at least 87 % of the other cells look like H&E in seven real slides (blacked-out
# backgrounds, a dark slide holder), and at most 21 % in fluorescence: one dye, three dyes, inverted pictures.
MIN_HE_SHARE = 0.5
MIN_CHANNEL = 40  # H&E is transmitted light: its darkest colour is brighter than that
MAX_GREEN_EXCESS = 6  # over red: eosin and haematoxylin absorb green most
MAX_GREY_CHROMA = 8  # rounding and compression; pale H&E has 25 in a quarter of the cells
MIN_CONTRAST = 30  # a blank image is neither
HE_HINT = "give the H&E image of this section with --image FILE, or use the genes alone with --no-image"


def stain_error(sample: ImageSample, name: str) -> ImageError | None:
    """Return why an image is no H&E; None if it may be one."""
    lit = sample.colours[~sample.is_black]
    if not len(lit):
        return None
    if sample.has_dark_edge and _he_share(lit) < MIN_HE_SHARE:
        return ImageError(f"{name} shows light on a dark ground, as fluorescence does: it is no H&E", hint=HE_HINT)
    light = sample.colours.mean(axis=2)
    if np.ptp(light) >= MIN_CONTRAST and sample.chroma.max() <= MAX_GREY_CHROMA:
        return ImageError(f"{name} is grey: it shows no stain colours, so it is no H&E", hint=HE_HINT)
    return None


def _he_share(colours: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> float:
    like = (colours.min(axis=1) >= MIN_CHANNEL) & (colours[:, 1] <= colours[:, 0] + MAX_GREEN_EXCESS)
    return float(like.mean())
