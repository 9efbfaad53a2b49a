"""The reliability of a detector as a picture: share of cancer by probability, on patients held out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from spacrd_core.detector.drawing import ACCENT, DPI, GUIDE, INK, SHADES, png, tidy

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes

Record = dict[str, Any]

STYLES = ((INK, "o"), (ACCENT, "s"), ("#3d7a4a", "^"), ("#7a5aa6", "D"), ("#b07d1c", "v"))
FILLED = 0.9  # of a bin's width, by the bars of all platforms


def reliability_png(reliability: Mapping[str, Record]) -> bytes:
    """Return the picture of every platform's reliability as PNG; the same figures give the same bytes.

    Probabilities that can be relied on lie on the diagonal; below is how many spots each bin has.
    """
    figure = Figure(figsize=(6.0, 7.2), dpi=DPI, layout="constrained")
    shares, counts = figure.subplots(2, 1, sharex=True, height_ratios=(4.0, 1.0))
    shares.plot([0, 1], [0, 1], color=GUIDE, linewidth=1.0, zorder=1)
    for place, (platform, record) in enumerate(reliability.items()):
        colour, marker = STYLES[place % len(STYLES)]
        _draw_shares(shares, _said(platform, record), record, colour, marker)
        _draw_counts(counts, record, colour, place, len(reliability))
    _finish(shares, counts)
    return png(figure)


def _draw_shares(axes: Axes, label: str, record: Record, colour: str, marker: str) -> None:
    """A line through the bins that have spots."""
    known = [pair for pair in zip(record["probability"], record["cancer"], strict=True) if None not in pair]
    probability, cancer = zip(*known, strict=True)
    axes.plot(probability, cancer, color=colour, marker=marker, linewidth=1.8, markersize=6, label=label, clip_on=False)


def _draw_counts(axes: Axes, record: Record, colour: str, place: int, platforms: int) -> None:
    """A bar a bin, beside those of other platforms."""
    bins = len(record["spots"])
    width = FILLED / bins / platforms
    middles = (np.arange(bins) + 0.5) / bins + (place - (platforms - 1) / 2) * width
    axes.bar(middles, record["spots"], width=width, color=colour)


def _said(platform: str, record: Record) -> str:
    patients = record["patients"]
    return f"{platform}: ECE {record['ece']:.3f} ({patients} patient{'s' if patients > 1 else ''})"


def _finish(shares: Axes, counts: Axes) -> None:
    shares.set_title("Probability and share of cancer, patients held out", loc="left", fontweight="bold")
    shares.set(xlim=(0, 1), ylim=(0, 1), xticks=np.arange(11) / 10, yticks=np.arange(11) / 10)
    shares.set_ylabel("share of cancer spots")
    shares.grid(color=SHADES[1], linewidth=0.8)
    shares.set_axisbelow(True)
    counts.set(xlabel="probability of cancer (mean of each bin)", ylabel="spots")
    counts.yaxis.set_major_locator(MaxNLocator(4, integer=True))
    for text in shares.legend(loc="best", frameon=False, fontsize=9).get_texts():
        text.set_parse_math(False)
    for axes in (shares, counts):
        tidy(axes)
