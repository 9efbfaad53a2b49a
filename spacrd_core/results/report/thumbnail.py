"""The small picture of a section in the index: its H&E, and its spots in the colours of their calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spacrd_core.results.colours import call_colours
from spacrd_core.results.overlay.spots import Footprint, draw_areas
from spacrd_core.results.report.viewport import he_image, section_viewport

if TYPE_CHECKING:
    from PIL import Image

    from spacrd_core.results.result import SectionResult

THUMBNAIL_PX = 160  # twice its size on the page
SPOT_PITCHES = 0.85  # larger than they are: a spot of Visium would be two px wide


def thumbnail(result: SectionResult) -> Image.Image:
    """Return the tissue around the called spots, without regions and legend, which are too small to be seen."""
    view = section_viewport(result)
    zoom = THUMBNAIL_PX / max(view.width, view.height)
    picture = he_image(result, view, longest_px=THUMBNAIL_PX)
    points = (result.points - (view.left, view.top)) * zoom
    width = max(result.spot_px, SPOT_PITCHES * result.pitch_um / result.um_per_px) * zoom
    footprint = Footprint(result.spot_shape, width, result.angle)
    draw_areas(picture, points, footprint, call_colours(result.spots["label"]))
    return picture
