"""The style of the figures in the folder of a detector, and their export to reproducible PNG files."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from matplotlib.backends.backend_agg import FigureCanvasAgg

from spacrd_core.quoting import printable, shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DPI = 150
MAX_DRAWN_SIGNS = 24  # of wide letters, so that a panel keeps its room
BACKGROUND_COLOURS = ("#f2f4f7", "#e3e8ef")
MAIN_COLOUR, ACCENT_COLOUR, GUIDE_COLOUR = "#1f4e79", "#b5371f", "#8a8f98"


def drawn(text: str) -> str:
    """Return text from outside as a figure has room and letters for it."""
    return shortened(printable(text), MAX_DRAWN_SIGNS)


def style_axes(axes: Axes) -> None:
    """Remove the top and right spines of a panel, and use small tick labels."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=8)


def figure_png(figure: Figure) -> bytes:
    """Return a figure as PNG; equal figures give equal bytes."""
    buffer = io.BytesIO()
    FigureCanvasAgg(figure).print_figure(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()
