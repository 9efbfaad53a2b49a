"""Transparency: what a slide does not show is glass."""

from __future__ import annotations

from typing import Any

import numpy as np
from PIL import Image

Array = np.ndarray[Any, np.dtype[np.uint8]]
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
