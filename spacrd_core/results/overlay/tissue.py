"""The tissue of a section: H&E, spots coloured by probability, cancer regions and scale bar."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely
from matplotlib import colormaps
from PIL import ImageDraw

from spacrd_core.results.overlay.outlines import draw_outlines
from spacrd_core.results.overlay.spots import Footprint, draw_areas, draw_edges
from spacrd_core.results.overlay.style import DPI, font, px, text_width
from spacrd_core.results.report.viewport import PALETTE, he_image, scale_bar

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL import Image

    from spacrd_core.results.report.viewport import Viewport
    from spacrd_core.results.result import SectionResult

LONGER_SIDE_PX = 8 * DPI
BAR_POINTS, BAR_HALO_POINTS, BAR_FONT_POINTS = 3.0, 5.0, 11.0
WHITE_80 = (255, 255, 255, 204)


def draw_plain(result: SectionResult, view: Viewport) -> Image.Image:
    """Return the H&E in the viewport with nothing but a scale bar."""
    picture = he_image(result, view, longest_px=LONGER_SIDE_PX)
    _draw_scale_bar(picture, result, view, LONGER_SIDE_PX / max(view.width, view.height))
    return picture


def draw_tissue(result: SectionResult, view: Viewport) -> Image.Image:
    """Return the tissue in the viewport with its spots at true size."""
    zoom = LONGER_SIDE_PX / max(view.width, view.height)
    picture = he_image(result, view, longest_px=LONGER_SIDE_PX)
    _draw_spots(picture, result, view, zoom)
    rings = [ring for region in result.regions for ring in shapely.get_rings(region.outline)]
    draw_outlines(picture, [_to_px(shapely.get_coordinates(ring), view, zoom) for ring in rings])
    _draw_scale_bar(picture, result, view, zoom)
    return picture


def _to_px(points: NDArray[np.float64], view: Viewport, zoom: float) -> NDArray[np.float64]:
    """Return points in full-resolution px as px of the picture."""
    return (points - (view.left, view.top)) * zoom


def _draw_spots(picture: Image.Image, result: SectionResult, view: Viewport, zoom: float) -> None:
    """Draw the spots of known probability, and the edges of uncertain ones."""
    points = _to_px(result.points, view, zoom)
    footprint = Footprint(result.spot_shape, result.spot_px * zoom, result.angle)
    known = np.isfinite(result.probability)
    colours = colormaps[PALETTE](result.probability[known], bytes=True)[:, :3]
    draw_areas(picture, points[known], footprint, colours)
    draw_edges(picture, points[(result.spots["label"] == "uncertain").to_numpy()], footprint)


def _draw_scale_bar(picture: Image.Image, result: SectionResult, view: Viewport, zoom: float) -> None:
    """Draw a scale bar with its length in the lower right corner; a halo keeps it readable on top of spots."""
    um, text = scale_bar(view.width * result.um_per_px)
    margin, height, halo = round(0.03 * picture.width), px(BAR_POINTS), px(BAR_HALO_POINTS)
    right, middle = picture.width - margin, picture.height - margin
    left = right - round(um / result.um_per_px * zoom)
    draw = ImageDraw.Draw(picture, "RGBA")
    for thickness, colour in ((halo, "white"), (height, "black")):
        top = middle - thickness // 2
        draw.rectangle((left, top, right - 1, top + thickness - 1), fill=colour)
    centre = min((left + right) / 2, right - text_width(text, BAR_FONT_POINTS) / 2)  # inside a narrow picture too
    foot = centre, middle - halo // 2 - px(3)
    box = draw.textbbox(foot, text, font=font(BAR_FONT_POINTS), anchor="mb")
    draw.rectangle((box[0] - px(1), box[1] - px(1), box[2] + px(1), box[3] + px(1)), fill=WHITE_80)
    draw.text(foot, text, fill="black", font=font(BAR_FONT_POINTS), anchor="mb")
