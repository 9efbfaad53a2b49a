"""The picture of a section: H&E, spots coloured by probability, regions, scale bar."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import EllipseCollection, LineCollection, PolyCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke

from spacrd_core.results.report.viewport import PALETTE, Window, photograph, scale_bar, window
from spacrd_core.results.warnings import wholly_strange
from spacrd_core.section.geometry import footprints

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.axes import Axes
    from matplotlib.collections import Collection

    from spacrd_core.results.result import SectionResult

INCHES = 8.0  # of the longer side of the tissue
DPI = 200
OUTLINE = "#e3120b"
UNSURE = "#ff9500"


def write_overlay(result: SectionResult, path: Path) -> None:
    """Write the tissue with every spot's probability at its true size, and the regions over the threshold, as PNG."""
    view = window(result)
    zoom = INCHES / max(view.width, view.height)
    figure = Figure(
        figsize=(max(view.width * zoom, 3.5) + 1.2, view.height * zoom + 1.0), dpi=DPI, layout="constrained"
    )
    axes = figure.add_subplot()
    picture = np.asarray(photograph(result, view, longest_px=round(INCHES * DPI)))
    axes.imshow(picture, extent=(view.left, view.right, view.bottom, view.top))
    spots = _draw_spots(axes, result)
    _draw_regions(axes, result)
    _draw_scale_bar(axes, result, view)
    axes.set(xlim=(view.left, view.right), ylim=(view.bottom, view.top), xticks=[], yticks=[])
    without = "" if result.thumbnail is not None else ", no image"
    title = f"{result.section_id}  ({result.platform}, {len(result.spots)} spots{without})"
    axes.set_title(title, parse_math=False, loc="left")
    bar = figure.colorbar(spots, ax=axes, label="probability of cancer", fraction=0.04, pad=0.02, aspect=30)
    bar.ax.axhline(result.threshold, color=OUTLINE, linewidth=2)
    FigureCanvasAgg(figure).print_figure(path, format="png", metadata={"Software": None, "Description": _told(result)})


def _told(result: SectionResult) -> str:
    """What the picture shows, for who cannot see it."""
    ground = "on its H&E" if result.thumbnail is not None else "without an image"
    return f"Probability of cancer of the spots of section {result.section_id}, {ground}"


def _draw_spots(axes: Axes, result: SectionResult) -> Collection:
    unsure = (result.spots["label"] == "uncertain").to_numpy()
    style: dict[str, Any] = {
        "cmap": PALETTE,
        "alpha": 0.75,
        "linewidths": np.where(unsure, 1.5, 0.0),
        "edgecolors": UNSURE,
    }
    spots: Collection
    if result.spot_shape == "disc":
        width = np.full(len(result.points), result.spot_px)
        spots = EllipseCollection(
            width, width, 0, units="xy", offsets=result.points, offset_transform=axes.transData, **style
        )
    else:
        shapes = footprints(result.points, result.spot_px, result.spot_shape, angle=result.angle)
        spots = PolyCollection([shapely.get_coordinates(shape) for shape in shapes], **style)
    spots.set_array(result.probability)
    spots.set_clim(0, 1)
    axes.add_collection(spots)
    return spots


def _draw_regions(axes: Axes, result: SectionResult) -> None:
    rings = [ring for region in result.regions for ring in shapely.get_rings(region.outline)]
    lines = LineCollection([shapely.get_coordinates(ring) for ring in rings], colors=OUTLINE, linewidths=1.6)
    lines.set_path_effects([withStroke(linewidth=3, foreground="white")])
    axes.add_collection(lines)
    strange = wholly_strange(result.spots)
    unsure = int((result.spots["label"] == "uncertain").sum())
    marker = "o" if result.spot_shape == "disc" else "s"
    ring: dict[str, Any] = {
        "marker": marker,
        "markerfacecolor": "none",
        "markeredgecolor": UNSURE,
        "markeredgewidth": 1.5,
    }
    keys = [
        Line2D([], [], color=OUTLINE, linewidth=0 if strange else 1.6, label=_areas(result)),
        Line2D([], [], linestyle="none", label=f"uncertain: {unsure} spots", **ring),
    ]
    axes.legend(handles=keys[: 2 if unsure else 1], loc="upper left", bbox_to_anchor=(0, -0.01), ncols=2, frameon=False)


def _areas(result: SectionResult) -> str:
    if result.cancer_mm2 is None:
        return "unlike the training tissue: no cancer regions drawn"
    return f"cancer regions: probability ≥ {result.threshold:.2f}, {result.cancer_mm2:.3g} mm²"


def _draw_scale_bar(axes: Axes, result: SectionResult, view: Window) -> None:
    um, text = scale_bar(view.width * result.um_per_px)
    right, bottom = view.right - 0.03 * view.width, view.bottom - 0.03 * view.width
    left = right - um / result.um_per_px
    halo = [withStroke(linewidth=5, foreground="white")]
    axes.plot([left, right], [bottom, bottom], color="black", linewidth=3, solid_capstyle="butt", path_effects=halo)
    label = axes.text((left + right) / 2, bottom - 0.012 * view.width, text, ha="center", va="bottom", fontsize=11)
    label.set_bbox({"facecolor": "white", "alpha": 0.8, "edgecolor": "none", "pad": 1})  # spots may lie under it
