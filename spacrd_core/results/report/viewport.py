"""What pictures of a section share: which part of the slide they show, the H&E in it, and the scale bar."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from spacrd_core.results.result import SectionResult

PALETTE = "viridis"  # even steps, safe for the colour-blind, and its blues, greens and yellows stand out on pink tissue
MARGIN = 1.5  # pitches of tissue shown beyond the outermost spots
SHARE = 0.25  # of the width, at most, is the scale bar


class Window(NamedTuple):
    """A rectangle in full-resolution px."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        """From left to right."""
        return self.right - self.left

    @property
    def height(self) -> float:
        """From top to bottom."""
        return self.bottom - self.top


def window(result: SectionResult) -> Window:
    """Return the part of the slide that holds the called spots."""
    margin = MARGIN * result.pitch_um / result.um_per_px
    points = result.points if len(result.points) else np.zeros((1, 2))
    left, top = points.min(axis=0) - margin
    right, bottom = points.max(axis=0) + margin
    return Window(float(left), float(top), float(right), float(bottom))


def thumbnail_scale(result: SectionResult) -> float | None:
    """Return thumbnail px per full-resolution px; None without a thumbnail."""
    if result.thumbnail is None or not result.slide_um_per_full_px or not result.thumbnail_um_per_px:
        return None
    return result.slide_um_per_full_px / result.thumbnail_um_per_px


def native_px(result: SectionResult, view: Window) -> int | None:
    """Return how many px the longer side of a window has in the thumbnail; None without one."""
    scale = thumbnail_scale(result)
    return None if scale is None else max(1, round(max(view.width, view.height) * scale))


def photograph(result: SectionResult, view: Window, *, longest_px: int) -> Image.Image:
    """Return the H&E in a window, white where there is none."""
    zoom = longest_px / max(view.width, view.height)
    picture = Image.new("RGB", (max(1, round(view.width * zoom)), max(1, round(view.height * zoom))), "white")
    scale = thumbnail_scale(result)
    if scale is None:
        return picture
    slide = Image.fromarray(np.ascontiguousarray(result.thumbnail))
    left, top = (um / (result.thumbnail_um_per_px or 1.0) for um in result.thumbnail_corner_um)
    part = Window(
        max(0.0, view.left * scale - left),
        max(0.0, view.top * scale - top),
        min(float(slide.width), view.right * scale - left),
        min(float(slide.height), view.bottom * scale - top),
    )
    size = round(part.width / scale * zoom), round(part.height / scale * zoom)
    if min(size) > 0:
        place = (part.left + left) / scale - view.left, (part.top + top) / scale - view.top
        corner = round(place[0] * zoom), round(place[1] * zoom)
        picture.paste(slide.resize(size, Image.Resampling.LANCZOS, box=part), corner)
    return picture


def scale_bar(width_um: float) -> tuple[float, str]:
    """Return a round length for a scale bar in a picture that wide, in um, and what to write under it."""
    room = SHARE * width_um
    power = 10.0 ** np.floor(np.log10(room))
    um = float(max(step * power for step in (1, 2, 5) if step * power <= room))
    return um, f"{um / 1000:g} mm" if um >= 1000 else f"{um:g} µm"
