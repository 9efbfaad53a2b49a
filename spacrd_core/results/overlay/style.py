"""Sizes and the font of the overlay picture. Sizes are in points of 1/72 inch."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import matplotlib as mpl
from PIL import ImageFont

DPI = 200
FRAME_POINTS = 0.8
REGION_POINTS, REGION_HALO_POINTS = 1.6, 3.0
UNCERTAIN_POINTS = 1.5


def px(points: float) -> int:
    """Return a size in whole px."""
    return max(1, round(points * DPI / 72))


@cache
def font(points: float) -> ImageFont.FreeTypeFont:
    """Return DejaVu Sans, which matplotlib brings; the font of Pillow has no signs such as ≥ and ²."""
    file = Path(mpl.get_data_path(), "fonts", "ttf", "DejaVuSans.ttf")
    return ImageFont.truetype(file, px(points), layout_engine=ImageFont.Layout.BASIC)


def text_width(text: str, points: float) -> int:
    """Return the width of a text in px."""
    return round(font(points).getlength(text))
