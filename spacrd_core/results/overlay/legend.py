"""The legend below a picture: what the colours of spots and the lines mean, with their numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from PIL import ImageDraw

from spacrd_core.results.colours import REGION_COLOUR, call_colours
from spacrd_core.results.overlay.spots import Footprint, draw_areas, draw_edges
from spacrd_core.results.overlay.style import REGION_POINTS, font, px, text_width
from spacrd_core.results.result import LABEL_NAMES

if TYPE_CHECKING:
    from PIL import Image

    from spacrd_core.results.overlay.tissue import ColourBy
    from spacrd_core.results.result import Label, SectionResult
    from spacrd_core.section.section import SpotShape

FONT_POINTS = 10.0
LINE_HEIGHT = px(1.6 * FONT_POINTS)
SAMPLE_WIDTH, SPOT_WIDTH, GAP, COLUMN_GAP = px(20), px(7.5), px(8), px(20)


@dataclass(frozen=True)
class Entry:
    """A text with a sample of what it explains: a line, a spot filled as a call is, or the edge of a spot."""

    text: str
    sample: Literal["line", "call", "edge", ""]
    shape: SpotShape = "disc"
    label: Label = "uncertain"

    @property
    def width(self) -> int:
        """Width in px."""
        return text_width(self.text, FONT_POINTS) + (SAMPLE_WIDTH + GAP if self.sample else 0)


def legend_entries(result: SectionResult, colour_by: ColourBy) -> list[Entry]:
    """Return what the colours of spots mean, and the entry of the regions, or why there are none."""
    regions = Entry(_region_text(result), "line" if result.has_regions else "")
    labels = result.spots["label"].tolist()
    counts = {label: labels.count(label) for label in LABEL_NAMES}  # without pandas, which changes warning filters
    if colour_by == "call":
        called = [
            Entry(f"{name.lower()}: {counts[label]} spots", "call", result.spot_shape, label)
            for label, name in LABEL_NAMES.items()
            if counts[label]
        ]
        return [*called, regions]
    uncertain = counts["uncertain"]
    return [regions, Entry(f"uncertain: {uncertain} spots", "edge", result.spot_shape)] if uncertain else [regions]


def legend_rows(entries: list[Entry], width: int) -> list[list[Entry]]:
    """Return the entries in as few rows as possible that are not wider than ``width``."""
    rows = [[entries[0]]]
    for entry in entries[1:]:
        if row_width([*rows[-1], entry]) <= width:
            rows[-1].append(entry)
        else:
            rows.append([entry])
    return rows


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
    centre, footprint = np.array([[left + SAMPLE_WIDTH / 2, middle]]), Footprint(entry.shape, SPOT_WIDTH)
    if entry.sample == "line":
        top = middle - px(REGION_POINTS) // 2
        draw.rectangle((left, top, left + SAMPLE_WIDTH, top + px(REGION_POINTS) - 1), fill=REGION_COLOUR)
    elif entry.sample == "call":
        draw_areas(canvas, centre, footprint, call_colours([entry.label]))
    elif entry.sample == "edge":
        draw_edges(canvas, centre, footprint)
    if entry.sample:
        text_left += SAMPLE_WIDTH + GAP
    draw.text((text_left, middle), entry.text, "black", font(FONT_POINTS), anchor="lm")


def _region_text(result: SectionResult) -> str:
    if result.cancer_mm2 is None:
        return f"{result.no_regions_reason}: no cancer regions drawn"
    return f"cancer regions: probability ≥ {result.threshold:.2f}, {result.cancer_mm2:.3g} mm²"
