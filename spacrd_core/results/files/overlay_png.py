"""The overlay picture of a section: its H&E, and beside it the calls with regions, scale bar, title and legend."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PIL import Image, ImageDraw
from PIL.PngImagePlugin import PngInfo

from spacrd_core.results.overlay.colour_bar import MIN_HEIGHT, WIDTH, draw_colour_bar
from spacrd_core.results.overlay.legend import LINE_HEIGHT, draw_legend, legend_entries, legend_rows, row_width
from spacrd_core.results.overlay.style import DPI, FRAME_POINTS, font, px, text_width
from spacrd_core.results.overlay.tissue import draw_plain, draw_tissue
from spacrd_core.results.report.viewport import section_viewport

if TYPE_CHECKING:
    from pathlib import Path

    from spacrd_core.results.overlay.tissue import ColourBy
    from spacrd_core.results.result import SectionResult

TITLE_POINTS = 12.0
MARGIN, GAP, TITLE_HEIGHT = px(10), px(4), px(1.5 * TITLE_POINTS)
SIGNATURES: dict[ColourBy, str] = {  # the beginning of a picture's description
    "call": "Calls of the spots of section",
    "probability": "Probabilities of the spots of section",
}
COMPRESSION = 2  # of zlib: half the time of its default, for a twentieth more bytes


def write_overlay(result: SectionResult, path: Path, colour_by: ColourBy = "call") -> None:
    """Write the H&E, and beside it the tissue with its spots at true size and the cancer regions, as PNG."""
    text = PngInfo()
    text.add_text("Description", _alt_text(result, colour_by))
    picture = _compose(result, colour_by)
    picture.save(path, format="PNG", compress_level=COMPRESSION, dpi=(DPI, DPI), pnginfo=text)


def _alt_text(result: SectionResult, colour_by: ColourBy) -> str:
    """Return a text description of the picture."""
    background = "on its H&E" if result.thumbnail is not None else "without an image"
    return f"{SIGNATURES[colour_by]} {result.section_id}, {background}"


def _title(result: SectionResult) -> str:
    suffix = "" if result.thumbnail is not None else ", no image"
    return f"{result.section_id}  ({result.platform}, {len(result.spots)} spots{suffix})"


def _compose(result: SectionResult, colour_by: ColourBy) -> Image.Image:
    """Return the panels in frames, with the title above, the colour bar beside and the legend below them.

    The canvas is as large as its parts need: the tissue may be narrower than the title and lower than the colour bar.
    """
    view, title, entries = section_viewport(result), _title(result), legend_entries(result, colour_by)
    plain = [draw_plain(result, view)] if result.thumbnail is not None else []
    panels = [*plain, draw_tissue(result, view, colour_by)]
    scaled = colour_by == "probability"
    drawn_width = sum(panel.width + MARGIN for panel in panels) + (WIDTH if scaled else -MARGIN)
    height = max(panels[0].height, MIN_HEIGHT if scaled else 0)
    rows = legend_rows(entries, drawn_width)
    width = max(drawn_width, text_width(title, TITLE_POINTS), *map(row_width, rows))
    left, top = MARGIN, MARGIN + TITLE_HEIGHT
    foot = top + height
    canvas = Image.new("RGB", (width + 2 * MARGIN, foot + GAP + LINE_HEIGHT * len(rows) + MARGIN), "white")
    draw = ImageDraw.Draw(canvas)
    draw.text((left, top - GAP), title, "black", font(TITLE_POINTS), anchor="ld")
    draw_legend(canvas, left, foot + GAP, rows)
    for panel in panels:
        canvas.paste(panel, (left, top))
        draw.rectangle((left, top, left + panel.width, top + panel.height), outline="black", width=px(FRAME_POINTS))
        left += panel.width + MARGIN
    if scaled:
        draw_colour_bar(canvas, left, top, height, result.threshold)
    return canvas
