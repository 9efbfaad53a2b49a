"""The part of the slide that pictures of a section show, its H&E, and the scale bar."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from spacrd_core.results.result import SectionResult

# The longer side of the H&E, two to four times the screen size of a section: at least the first where the slide is as
# fine, at most the second.
MIN_PHOTO_PX, MAX_PHOTO_PX = 1600, 2000
MARGIN_PITCHES = 1.5  # tissue shown beyond the outermost spots
MAX_BAR_FRACTION = 0.25  # longest scale bar, relative to the width of the picture


class Viewport(NamedTuple):
    """A rectangle in full-resolution px."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        """Width in full-resolution px."""
        return self.right - self.left

    @property
    def height(self) -> float:
        """Height in full-resolution px."""
        return self.bottom - self.top


def section_viewport(result: SectionResult) -> Viewport:
    """Return the part of the slide that holds the called spots."""
    margin = MARGIN_PITCHES * result.pitch_um / result.um_per_px
    points = result.points if len(result.points) else np.zeros((1, 2))
    left, top = points.min(axis=0) - margin
    right, bottom = points.max(axis=0) + margin
    return Viewport(float(left), float(top), float(right), float(bottom))


def thumbnail_scale(result: SectionResult) -> float | None:
    """Return thumbnail px per full-resolution px; None without a thumbnail."""
    if result.thumbnail is None or not result.slide_um_per_full_px or not result.thumbnail_um_per_px:
        return None
    return result.slide_um_per_full_px / result.thumbnail_um_per_px


def native_px(result: SectionResult, view: Viewport) -> int | None:
    """Return the length of the viewport's longer side in thumbnail px; None without a thumbnail."""
    scale = thumbnail_scale(result)
    return None if scale is None else max(1, round(max(view.width, view.height) * scale))


def he_image(result: SectionResult, view: Viewport, *, longest_px: int) -> Image.Image:
    """Return the H&E in the viewport; white where the slide ends or is missing."""
    zoom = longest_px / max(view.width, view.height)
    picture = Image.new("RGB", (max(1, round(view.width * zoom)), max(1, round(view.height * zoom))), "white")
    scale = thumbnail_scale(result)
    if scale is None:
        return picture
    slide = Image.fromarray(np.ascontiguousarray(result.thumbnail))
    left, top = (um / (result.thumbnail_um_per_px or 1.0) for um in result.thumbnail_corner_um)
    part = Viewport(
        max(0.0, view.left * scale - left),
        max(0.0, view.top * scale - top),
        min(float(slide.width), view.right * scale - left),
        min(float(slide.height), view.bottom * scale - top),
    )
    size = round(part.width / scale * zoom), round(part.height / scale * zoom)
    if min(size) > 0:
        offset = (part.left + left) / scale - view.left, (part.top + top) / scale - view.top
        corner = round(offset[0] * zoom), round(offset[1] * zoom)
        picture.paste(slide.resize(size, Image.Resampling.LANCZOS, box=part), corner)
    return picture


def scale_bar(width_um: float) -> tuple[float, str]:
    """Return a round length in um for the scale bar of a picture of this width, and its label."""
    longest_um = MAX_BAR_FRACTION * width_um
    power = 10.0 ** np.floor(np.log10(longest_um))
    um = float(max(step * power for step in (1, 2, 5) if step * power <= longest_um))
    return um, f"{um / 1000:g} mm" if um >= 1000 else f"{um:g} µm"
