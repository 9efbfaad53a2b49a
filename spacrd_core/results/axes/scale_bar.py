"""A scale bar on axes whose unit is um."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.patheffects import withStroke

from spacrd_core.results.report.viewport import scale_bar

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MARGIN = 0.03  # of the width
BAR_POINTS, HALO_POINTS = 3.0, 5.0


def draw_scale_bar(ax: Axes) -> None:
    """Draw a bar of a round length with its label in the lower right corner; a halo keeps it readable on tissue."""
    left, right = ax.get_xlim()
    bottom, _ = ax.get_ylim()
    width = right - left
    um, text = scale_bar(width)
    end, level = right - MARGIN * width, bottom - MARGIN * width
    halo = [withStroke(linewidth=HALO_POINTS, foreground="white")]
    ax.plot([end - um, end], [level, level], "black", linewidth=BAR_POINTS, solid_capstyle="butt", path_effects=halo)
    ax.annotate(
        text,
        (end - um / 2, level),
        xytext=(0, BAR_POINTS),
        textcoords="offset points",
        ha="center",
        va="bottom",
        path_effects=halo,
    )
