"""The overlay picture of a section: H&E, spots coloured by probability, regions, scale bar, title and legend."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PIL import Image, ImageDraw
from PIL.PngImagePlugin import PngInfo

from spacrd_core.results.overlay.colour_bar import MIN_HEIGHT, WIDTH, draw_colour_bar
from spacrd_core.results.overlay.legend import LINE_HEIGHT, draw_legend, legend_entries, legend_rows, row_width
from spacrd_core.results.overlay.style import DPI, FRAME_POINTS, font, px, text_width
from spacrd_core.results.overlay.tissue import draw_tissue
from spacrd_core.results.report.viewport import section_viewport

if TYPE_CHECKING:
    from pathlib import Path

    from spacrd_core.results.result import SectionResult

TITLE_POINTS = 12.0
MARGIN, GAP, TITLE_HEIGHT = px(10), px(4), px(1.5 * TITLE_POINTS)
ALT_TEXT = "Probability of cancer of the spots of section"
COMPRESSION = 2  # of zlib: half the time of its default, for a twentieth more bytes


def write_overlay(result: SectionResult, path: Path) -> None:
    """Write the tissue with its spots at true size, coloured by probability, and the cancer regions, as PNG."""
    text = PngInfo()
    text.add_text("Description", _alt_text(result))
    picture = _compose(result, draw_tissue(result, section_viewport(result)))
    picture.save(path, format="PNG", compress_level=COMPRESSION, dpi=(DPI, DPI), pnginfo=text)


def _alt_text(result: SectionResult) -> str:
    """Return a text description of the picture."""
    background = "on its H&E" if result.thumbnail is not None else "without an image"
    return f"{ALT_TEXT} {result.section_id}, {background}"


def _title(result: SectionResult) -> str:
    suffix = "" if result.thumbnail is not None else ", no image"
    return f"{result.section_id}  ({result.platform}, {len(result.spots)} spots{suffix})"


def _compose(result: SectionResult, tissue: Image.Image) -> Image.Image:
    """Return the tissue in a frame, with the title above, the colour bar beside and the legend below it.

    The canvas is as large as its parts need: the tissue may be narrower than the title and lower than the colour bar.
    """
    title, entries = _title(result), legend_entries(result)
    drawn_width, height = tissue.width + MARGIN + WIDTH, max(tissue.height, MIN_HEIGHT)
    rows = legend_rows(entries, drawn_width)
    width = max(drawn_width, text_width(title, TITLE_POINTS), *map(row_width, rows))
    left, top = MARGIN, MARGIN + TITLE_HEIGHT
    foot = top + height
    canvas = Image.new("RGB", (width + 2 * MARGIN, foot + GAP + LINE_HEIGHT * len(rows) + MARGIN), "white")
    draw = ImageDraw.Draw(canvas)
    draw.text((left, top - GAP), title, "black", font(TITLE_POINTS), anchor="ld")
    canvas.paste(tissue, (left, top))
    draw.rectangle((left, top, left + tissue.width, top + tissue.height), outline="black", width=px(FRAME_POINTS))
    draw_colour_bar(canvas, left + tissue.width + MARGIN, top, height, result.threshold)
    draw_legend(canvas, left, foot + GAP, rows)
    return canvas
