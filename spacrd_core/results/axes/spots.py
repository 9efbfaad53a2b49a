"""Spots at true size as one collection of matplotlib, in um."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.collections import EllipseCollection, PolyCollection

from spacrd_core.results.overlay.spots import OPACITY

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from spacrd_core.arrays import Array
    from spacrd_core.results.result import SectionResult

MAX_VECTORS = 5000  # more spots become a picture inside a PDF or SVG
CORNERS = np.array([[-0.5, -0.5], [0.5, -0.5], [0.5, 0.5], [-0.5, 0.5]])


def add_spots(ax: Axes, result: SectionResult, mask: Array, colours: Any, *, edge_points: float = 0.0) -> None:
    """Add the spots in a mask, filled with their colour or the one colour, or as rings of ``edge_points``."""
    if not mask.any():
        return
    centres = result.points[mask] * result.um_per_px
    style: dict[str, Any] = {"facecolors": colours, "linewidths": 0, "alpha": OPACITY}
    if edge_points:
        style = {"facecolors": "none", "edgecolors": colours, "linewidths": edge_points}
    style["rasterized"] = len(result.points) > MAX_VECTORS
    if result.spot_shape == "disc":
        size = np.full(len(centres), result.spot_um)
        ax.add_collection(
            EllipseCollection(
                size, size, np.zeros(len(centres)), units="xy", offsets=centres, offset_transform=ax.transData, **style
            )
        )
        return
    cosine, sine = np.cos(result.angle), np.sin(result.angle)
    corners = result.spot_um * CORNERS @ np.array([[cosine, sine], [-sine, cosine]])
    ax.add_collection(PolyCollection(centres[:, None, :] + corners, **style))
