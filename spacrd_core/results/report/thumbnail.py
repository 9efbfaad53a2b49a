"""The small picture of a section in the index: its H&E, and its spots coloured by probability."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib import colormaps

from spacrd_core.results.overlay.spots import Footprint, draw_areas
from spacrd_core.results.report.viewport import PALETTE, he_image, section_viewport

if TYPE_CHECKING:
    from PIL import Image

    from spacrd_core.results.result import SectionResult

THUMBNAIL_PX = 160  # twice its size on the page
MIN_SPOT_PX = 1.5


def thumbnail(result: SectionResult) -> Image.Image:
    """Return the tissue around the called spots, without regions and legend, which are too small to be seen."""
    view = section_viewport(result)
    zoom = THUMBNAIL_PX / max(view.width, view.height)
    picture = he_image(result, view, longest_px=THUMBNAIL_PX)
    known = np.isfinite(result.probability)
    points = (result.points[known] - (view.left, view.top)) * zoom
    footprint = Footprint(result.spot_shape, max(result.spot_px * zoom, MIN_SPOT_PX), result.angle)
    draw_areas(picture, points, footprint, colormaps[PALETTE](result.probability[known], bytes=True)[:, :3])
    return picture
