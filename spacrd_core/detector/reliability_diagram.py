"""The reliability diagram of a detector: fraction of cancer by probability, on held-out patients."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from spacrd_core.detector.drawing import (
    ACCENT_COLOUR,
    BACKGROUND_COLOURS,
    DPI,
    GUIDE_COLOUR,
    MAIN_COLOUR,
    drawn,
    figure_png,
    style_axes,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes

Record = dict[str, Any]

PLATFORM_STYLES = ((MAIN_COLOUR, "o"), (ACCENT_COLOUR, "s"), ("#3d7a4a", "^"), ("#7a5aa6", "D"), ("#b07d1c", "v"))
BAR_FRACTION = 0.9  # width of all bars of a bin, relative to the bin


def reliability_png(reliability: Mapping[str, Record]) -> bytes:
    """Return the reliability diagram of all platforms as PNG; equal figures give equal bytes.

    Reliable probabilities are on the diagonal. The lower panel has the number of spots in each bin.
    """
    figure = Figure(figsize=(6.0, 7.2), dpi=DPI, layout="constrained")
    fractions, counts = figure.subplots(2, 1, sharex=True, height_ratios=(4.0, 1.0))
    fractions.plot([0, 1], [0, 1], color=GUIDE_COLOUR, linewidth=1.0, zorder=1)
    for index, (platform, record) in enumerate(reliability.items()):
        colour, marker = PLATFORM_STYLES[index % len(PLATFORM_STYLES)]
        _draw_fractions(fractions, _legend_label(platform, record), record, colour, marker)
        _draw_counts(counts, record, colour, index, len(reliability))
    _style(fractions, counts)
    return figure_png(figure)


def _draw_fractions(axes: Axes, label: str, record: Record, colour: str, marker: str) -> None:
    """Draw a line through the bins that have spots."""
    points = [pair for pair in zip(record["probability"], record["cancer"], strict=True) if None not in pair]
    probability, cancer = zip(*points, strict=True)
    axes.plot(probability, cancer, color=colour, marker=marker, linewidth=1.8, markersize=6, label=label, clip_on=False)


def _draw_counts(axes: Axes, record: Record, colour: str, index: int, platforms: int) -> None:
    """Draw one bar per bin, beside the bars of other platforms."""
    bins = len(record["spots"])
    width = BAR_FRACTION / bins / platforms
    middles = (np.arange(bins) + 0.5) / bins + (index - (platforms - 1) / 2) * width
    axes.bar(middles, record["spots"], width=width, color=colour)


def _legend_label(platform: str, record: Record) -> str:
    patients = record["patients"]
    return f"{drawn(platform)}: ECE {record['ece']:.3f} ({patients} patient{'s' if patients > 1 else ''})"


def _style(fractions: Axes, counts: Axes) -> None:
    fractions.set_title("Fraction of cancer by probability, held-out patients", loc="left", fontweight="bold")
    fractions.set(xlim=(0, 1), ylim=(0, 1), xticks=np.arange(11) / 10, yticks=np.arange(11) / 10)
    fractions.set_ylabel("fraction of cancer spots")
    fractions.grid(color=BACKGROUND_COLOURS[1], linewidth=0.8)
    fractions.set_axisbelow(True)
    counts.set(xlabel="probability of cancer (mean of each bin)", ylabel="spots")
    counts.yaxis.set_major_locator(MaxNLocator(4, integer=True))
    for text in fractions.legend(loc="best", frameon=False, fontsize=9).get_texts():
        text.set_parse_math(False)
    for axes in (fractions, counts):
        style_axes(axes)
