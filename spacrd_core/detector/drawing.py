"""What the pictures in a detector's folder share: colours, plain axes, and bytes that depend on the figures alone."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from matplotlib.backends.backend_agg import FigureCanvasAgg

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DPI = 150
SHADES = ("#f2f4f7", "#e3e8ef")
INK, ACCENT, GUIDE = "#1f4e79", "#b5371f", "#8a8f98"


def tidy(axes: Axes) -> None:
    """Leave away what frames a panel at its top and right, and make its ticks small."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=8)


def png(figure: Figure) -> bytes:
    """Return a figure as PNG; the same figure gives the same bytes."""
    picture = io.BytesIO()
    FigureCanvasAgg(figure).print_figure(picture, format="png", metadata={"Software": None})
    return picture.getvalue()
