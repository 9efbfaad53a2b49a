"""The suggested spots of a section on its H&E, as numbered rings in the colour of the call."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PIL import Image, ImageDraw
from PIL.PngImagePlugin import PngInfo

from spacrd_core.results.overlay.style import DPI, font, px, text_width
from spacrd_core.results.overlay.tissue import LONGER_SIDE_PX, draw_plain, draw_tissue
from spacrd_core.results.report.viewport import section_viewport
from spacrd_core.results.result import LABEL_STYLES

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from spacrd_core.results.report.viewport import Viewport
    from spacrd_core.results.result import SectionResult

ALT_TEXT = "Suggested spots of section"
TITLE_POINTS, NUMBER_POINTS, RING_POINTS, HALO_POINTS = 12.0, 9.0, 1.6, 3.2
MIN_RADIUS = px(3.5)
MARGIN, GAP, LINE_HEIGHT = px(10), px(6), px(1.6 * TITLE_POINTS)


def write_suggested_picture(result: SectionResult, suggested: pd.DataFrame, path: Path) -> None:
    """Write a PNG of the tissue with the suggested spots; without an image, all spots are drawn with their calls."""
    view = section_viewport(result)
    tissue = draw_tissue(result, view) if result.thumbnail is None else draw_plain(result, view)
    _draw_rings(tissue, result, suggested, view)
    text = PngInfo()
    text.add_text("Description", f"{ALT_TEXT} {result.section_id}")
    _framed(tissue, f"{result.section_id}: {len(suggested)} suggested spots").save(
        path, format="PNG", dpi=(DPI, DPI), pnginfo=text
    )


def _draw_rings(picture: Image.Image, result: SectionResult, suggested: pd.DataFrame, view: Viewport) -> None:
    zoom = LONGER_SIDE_PX / max(view.width, view.height)
    radius = max(result.spot_px * zoom / 2, MIN_RADIUS)
    draw, halo, line = ImageDraw.Draw(picture), px(HALO_POINTS), px(RING_POINTS)
    columns = suggested["x_px"], suggested["y_px"], suggested["label"], suggested["rank"]
    for x, y, label, rank in zip(*columns, strict=True):
        x_px, y_px = (x - view.left) * zoom, (y - view.top) * zoom
        colour = LABEL_STYLES[label].hex_colour
        for width, fill in ((halo, "white"), (line, colour)):
            reach = radius + width / 2
            draw.ellipse((x_px - reach, y_px - reach, x_px + reach, y_px + reach), outline=fill, width=width)
        place = x_px + radius + halo, y_px
        draw.text(place, str(rank), colour, font(NUMBER_POINTS), "lm", stroke_width=px(1), stroke_fill="white")


def _framed(tissue: Image.Image, title: str) -> Image.Image:
    """Return the picture on white, with a title above it and what the colours mean below."""
    legend = [(style.name, style.hex_colour) for style in LABEL_STYLES.values()]
    width = max(tissue.width, text_width(title, TITLE_POINTS)) + 2 * MARGIN
    canvas = Image.new("RGB", (width, tissue.height + 2 * (MARGIN + LINE_HEIGHT)), "white")
    draw = ImageDraw.Draw(canvas)
    draw.text((MARGIN, MARGIN), title, "black", font(TITLE_POINTS), "la")
    canvas.paste(tissue, (MARGIN, MARGIN + LINE_HEIGHT))
    left, middle = MARGIN, canvas.height - MARGIN - LINE_HEIGHT // 2
    for name, colour in legend:
        text = f"called {name.lower()}"
        draw.ellipse((left, middle - MIN_RADIUS, left + 2 * MIN_RADIUS, middle + MIN_RADIUS), outline=colour, width=3)
        draw.text((left + 2 * MIN_RADIUS + GAP, middle), text, "black", font(NUMBER_POINTS), "lm")
        left += 2 * MIN_RADIUS + 3 * GAP + text_width(text, NUMBER_POINTS)
    return canvas
