"""The overlay picture of a section as matplotlib draws it: what the benchmark of files compares with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import EllipseCollection, LineCollection, PolyCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke

from spacrd_core.results.colours import PALETTE, REGION_COLOUR, UNCERTAIN_COLOUR
from spacrd_core.results.report.viewport import Viewport, he_image, scale_bar, section_viewport
from spacrd_core.section.geometry import footprints

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.axes import Axes
    from matplotlib.collections import Collection

    from spacrd_core.results.result import SectionResult

TISSUE_INCHES = 8.0  # longer side of the tissue
DPI = 200


def write_plain_overlay(result: SectionResult, path: Path) -> None:
    """Write the tissue with its spots at true size, coloured by probability, and the cancer regions, as PNG."""
    view = section_viewport(result)
    zoom = TISSUE_INCHES / max(view.width, view.height)
    figure = Figure(
        figsize=(max(view.width * zoom, 3.5) + 1.2, view.height * zoom + 1.0), dpi=DPI, layout="constrained"
    )
    axes = figure.add_subplot()
    picture = np.asarray(he_image(result, view, longest_px=round(TISSUE_INCHES * DPI)))
    axes.imshow(picture, extent=(view.left, view.right, view.bottom, view.top))
    spots = _draw_spots(axes, result)
    _draw_regions(axes, result)
    _draw_scale_bar(axes, result, view)
    axes.set(xlim=(view.left, view.right), ylim=(view.bottom, view.top), xticks=[], yticks=[])
    suffix = "" if result.thumbnail is not None else ", no image"
    title = f"{result.section_id}  ({result.platform}, {len(result.spots)} spots{suffix})"
    axes.set_title(title, parse_math=False, loc="left")
    bar = figure.colorbar(spots, ax=axes, label="probability of cancer", fraction=0.04, pad=0.02, aspect=30)
    bar.ax.axhline(result.threshold, color=REGION_COLOUR, linewidth=2)
    FigureCanvasAgg(figure).print_figure(path, format="png", metadata={"Software": None})


def _draw_spots(axes: Axes, result: SectionResult) -> Collection:
    uncertain = (result.spots["label"] == "uncertain").to_numpy()
    style: dict[str, Any] = {
        "cmap": PALETTE,
        "alpha": 0.75,
        "linewidths": np.where(uncertain, 1.5, 0.0),
        "edgecolors": UNCERTAIN_COLOUR,
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
    lines = LineCollection([shapely.get_coordinates(ring) for ring in rings], colors=REGION_COLOUR, linewidths=1.6)
    lines.set_path_effects([withStroke(linewidth=3, foreground="white")])
    axes.add_collection(lines)
    uncertain = int((result.spots["label"] == "uncertain").sum())
    line_width = 1.6 if result.has_regions else 0
    marker = "o" if result.spot_shape == "disc" else "s"
    ring: dict[str, Any] = {
        "marker": marker,
        "markerfacecolor": "none",
        "markeredgecolor": UNCERTAIN_COLOUR,
        "markeredgewidth": 1.5,
    }
    entries = [
        Line2D([], [], color=REGION_COLOUR, linewidth=line_width, label=_region_label(result)),
        Line2D([], [], linestyle="none", label=f"uncertain: {uncertain} spots", **ring),
    ]
    axes.legend(
        handles=entries[: 2 if uncertain else 1], loc="upper left", bbox_to_anchor=(0, -0.01), ncols=2, frameon=False
    )


def _region_label(result: SectionResult) -> str:
    if result.cancer_mm2 is None:
        return f"{result.no_regions_reason}: no cancer regions drawn"
    return f"cancer regions: probability ≥ {result.threshold:.2f}, {result.cancer_mm2:.3g} mm²"


def _draw_scale_bar(axes: Axes, result: SectionResult, view: Viewport) -> None:
    um, text = scale_bar(view.width * result.um_per_px)
    right, bottom = view.right - 0.03 * view.width, view.bottom - 0.03 * view.width
    left = right - um / result.um_per_px
    halo = [withStroke(linewidth=5, foreground="white")]
    axes.plot([left, right], [bottom, bottom], color="black", linewidth=3, solid_capstyle="butt", path_effects=halo)
    label = axes.text((left + right) / 2, bottom - 0.012 * view.width, text, ha="center", va="bottom", fontsize=11)
    label.set_bbox({"facecolor": "white", "alpha": 0.8, "edgecolor": "none", "pad": 1})  # readable on top of spots
