"""Outlines of cancer regions in a picture: smooth lines with a white halo."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw

from spacrd_core.results.colours import REGION_COLOUR
from spacrd_core.results.overlay.style import REGION_HALO_POINTS, REGION_POINTS, px

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

FINER = 3  # lines are drawn at this multiple of the picture's px, then averaged


def draw_outlines(picture: Image.Image, rings: Sequence[NDArray[np.float64]]) -> None:
    """Draw closed rings, given in px of the picture."""
    if not rings:
        return
    for points, colour in ((REGION_HALO_POINTS, "white"), (REGION_POINTS, REGION_COLOUR)):
        picture.paste(colour, mask=_mask(picture.size, rings, px(points)))


def _mask(size: tuple[int, int], rings: Sequence[NDArray[np.float64]], width: int) -> Image.Image:
    """Return how far a line of this width covers each px."""
    fine = Image.new("L", (size[0] * FINER, size[1] * FINER))
    draw = ImageDraw.Draw(fine)
    for ring in rings:
        closed = np.concatenate([ring, ring[1:2]])  # the corner at the start is joined as the others are
        draw.line([*(closed * FINER - 0.5).ravel().tolist()], fill=255, width=width * FINER, joint="curve")
    return fine.reduce(FINER)
