"""The legend below a picture: a line for cancer regions, an open spot for uncertain ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from PIL import ImageDraw

from spacrd_core.results.overlay.spots import Footprint, draw_edges
from spacrd_core.results.overlay.style import REGION_COLOUR, REGION_POINTS, font, px, text_width

if TYPE_CHECKING:
    from PIL import Image

    from spacrd_core.results.result import SectionResult

FONT_POINTS = 10.0
LINE_HEIGHT = px(1.6 * FONT_POINTS)
SAMPLE_WIDTH, SPOT_WIDTH, GAP, COLUMN_GAP = px(20), px(7.5), px(8), px(20)


@dataclass(frozen=True)
class Entry:
    """A text with a sample of what it explains."""

    text: str
    sample: Literal["line", "disc", "square", ""]

    @property
    def width(self) -> int:
        """Width in px."""
        return text_width(self.text, FONT_POINTS) + (SAMPLE_WIDTH + GAP if self.sample else 0)


def legend_entries(result: SectionResult) -> list[Entry]:
    """Return the entry of the regions, or why there are none, and that of the uncertain spots if there are any."""
    regions = Entry(_region_text(result), "line" if result.has_regions else "")
    uncertain = int((result.spots["label"] == "uncertain").sum())
    return [regions, Entry(f"uncertain: {uncertain} spots", result.spot_shape)] if uncertain else [regions]


def legend_rows(entries: list[Entry], width: int) -> list[list[Entry]]:
    """Return the entries in one row if it is not wider than ``width``, else one below the other."""
    return [entries] if row_width(entries) <= width else [[entry] for entry in entries]


def row_width(row: list[Entry]) -> int:
    """Return the width of a row in px."""
    return sum(entry.width for entry in row) + COLUMN_GAP * (len(row) - 1)


def draw_legend(canvas: Image.Image, left: int, top: int, rows: list[list[Entry]]) -> None:
    """Draw rows of entries."""
    for number, row in enumerate(rows):
        x, middle = left, top + LINE_HEIGHT * number + LINE_HEIGHT // 2
        for entry in row:
            _draw_entry(canvas, x, middle, entry)
            x += entry.width + COLUMN_GAP


def _draw_entry(canvas: Image.Image, left: int, middle: int, entry: Entry) -> None:
    draw, text_left = ImageDraw.Draw(canvas), left
    if entry.sample == "line":
        top = middle - px(REGION_POINTS) // 2
        draw.rectangle((left, top, left + SAMPLE_WIDTH, top + px(REGION_POINTS) - 1), fill=REGION_COLOUR)
    elif entry.sample:
        draw_edges(canvas, np.array([[left + SAMPLE_WIDTH / 2, middle]]), Footprint(entry.sample, SPOT_WIDTH))
    if entry.sample:
        text_left += SAMPLE_WIDTH + GAP
    draw.text((text_left, middle), entry.text, "black", font(FONT_POINTS), anchor="lm")


def _region_text(result: SectionResult) -> str:
    if result.cancer_mm2 is None:
        return f"{result.no_regions_reason}: no cancer regions drawn"
    return f"cancer regions: probability ≥ {result.threshold:.2f}, {result.cancer_mm2:.3g} mm²"
