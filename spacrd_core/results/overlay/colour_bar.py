"""The colour bar beside a picture: the scale of probabilities, paler below the threshold as spots are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw

from spacrd_core.results.colours import FAINT, REGION_COLOUR, probability_colours
from spacrd_core.results.overlay.spots import OPACITY
from spacrd_core.results.overlay.style import FRAME_POINTS, font, px, text_width

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw as Draw

LABEL = "probability of cancer, paler below the threshold"
FONT_POINTS = 10.0
BAR_POINTS, TICK_POINTS, GAP_POINTS, THRESHOLD_POINTS = 18.0, 3.5, 3.5, 2.0
TICKS = np.linspace(0, 1, 6)
MIN_HEIGHT = text_width(LABEL, FONT_POINTS)
WIDTH = px(BAR_POINTS + TICK_POINTS + 3 * GAP_POINTS) + text_width("0.0", FONT_POINTS) + px(1.5 * FONT_POINTS)


def draw_colour_bar(canvas: Image.Image, left: int, top: int, height: int, threshold: float) -> None:
    """Draw a bar of this height with ticks, label and a line at the threshold."""
    draw, right, foot = ImageDraw.Draw(canvas), left + px(BAR_POINTS), top + height
    probability = np.linspace(1, 0, height)
    opacity = np.where(probability < threshold, OPACITY * FAINT, OPACITY)[:, None]
    colours = 255 - opacity * (255 - probability_colours(probability))  # as spots are on white
    scale = Image.fromarray(np.rint(colours).astype(np.uint8)[:, None])
    canvas.paste(scale.resize((right - left, height)), (left, top))
    _draw_level(draw, (left, right), foot - height * threshold, THRESHOLD_POINTS, REGION_COLOUR)
    draw.rectangle((left, top, right, foot), outline="black", width=px(FRAME_POINTS))
    ticks_end = right + px(TICK_POINTS)
    for value in TICKS.tolist():
        y = foot - height * value
        _draw_level(draw, (right, ticks_end), y, FRAME_POINTS, "black")
        draw.text((ticks_end + px(GAP_POINTS), y), f"{value:.1f}", "black", font(FONT_POINTS), anchor="lm")
    label_left = ticks_end + 2 * px(GAP_POINTS) + text_width("0.0", FONT_POINTS)
    label = _label()
    canvas.paste(label, (label_left, top + (height - label.height) // 2))


def _draw_level(draw: Draw, ends: tuple[int, int], y: float, points: float, colour: str) -> None:
    """Draw a horizontal line that is centred on ``y``."""
    top = round(y - px(points) / 2)
    draw.rectangle((ends[0], top, ends[1], top + px(points) - 1), fill=colour)


def _label() -> Image.Image:
    """Return the label, to be read from bottom to top."""
    text = Image.new("RGB", (text_width(LABEL, FONT_POINTS), px(1.5 * FONT_POINTS)), "white")
    ImageDraw.Draw(text).text((0, text.height / 2), LABEL, "black", font(FONT_POINTS), anchor="lm")
    return text.transpose(Image.Transpose.ROTATE_90)
