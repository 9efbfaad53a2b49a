"""A section on the axes of matplotlib: its H&E, spots by probability, call or label, regions and scale bar."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import shapely
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, PathPatch
from matplotlib.path import Path as Outline

from spacrd_core.results.axes.scale_bar import draw_scale_bar
from spacrd_core.results.axes.spots import add_spots
from spacrd_core.results.colours import PALETTE
from spacrd_core.results.report.viewport import section_viewport
from spacrd_core.results.result import LABEL_STYLES

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

    from spacrd_core.arrays import Array
    from spacrd_core.results.result import Label, SectionResult

REGION_POINTS, RING_POINTS = 1.5, 1.0
RING: Final[dict[str, Any]] = {"marker": "o", "markerfacecolor": "none", "linestyle": "none"}
COLOUR_BAR = (1.03, 0.0, 0.04, 1.0)  # left, bottom, width and height, relative to the axes
CANCER, UNCERTAIN = LABEL_STYLES["cancer"], LABEL_STYLES["uncertain"]
LABELS: Final[dict[Label, int]] = {"cancer": 1, "normal": 0}


def draw_tissue(ax: Axes, result: SectionResult) -> None:
    """Draw the H&E around the spots with a scale bar, and set the limits of the axes in um."""
    view, um = section_viewport(result), result.um_per_px
    if result.thumbnail is not None and result.thumbnail_um_per_px and result.slide_um_per_full_px:
        scale = um / result.slide_um_per_full_px  # um of the spots per um of the slide
        height, width = result.thumbnail.shape[:2]
        left, top = (corner * scale for corner in result.thumbnail_corner_um)
        step = result.thumbnail_um_per_px * scale
        ax.imshow(result.thumbnail, extent=(left, left + width * step, top + height * step, top))
    ax.set(xlim=(view.left * um, view.right * um), ylim=(view.bottom * um, view.top * um), aspect="equal")
    ax.set(xticks=[], yticks=[], title=result.section_id)
    draw_scale_bar(ax)


def draw_probability(ax: Axes, result: SectionResult, *, legend: bool = True) -> None:
    """Draw the probability of cancer of every spot, rings around uncertain ones, regions and a colour bar."""
    draw_tissue(ax, result)
    known = np.isfinite(result.probability)
    add_spots(ax, result, known, PALETTE(result.probability[known]))
    uncertain = (result.spots["label"] == "uncertain").to_numpy()
    add_spots(ax, result, uncertain, UNCERTAIN.hex_colour, edge_points=RING_POINTS)
    _draw_regions(ax, result)
    if not legend:
        return
    ring = Line2D([], [], **RING, color=UNCERTAIN.hex_colour, label=f"uncertain: {uncertain.sum()} spots")
    _add_legend(ax, [*([ring] if uncertain.any() else []), *_region_handles(result)])
    if ax.figure:
        mappable = ScalarMappable(Normalize(0, 1), PALETTE)
        bar = ax.figure.colorbar(mappable, cax=ax.inset_axes(COLOUR_BAR), label="probability of cancer")
        bar.ax.axhline(result.threshold, color=CANCER.hex_colour, linewidth=2)


def draw_calls(ax: Axes, result: SectionResult, *, legend: bool = True) -> None:
    """Draw every spot in the colour of its call, regions and a legend with the number of spots."""
    draw_tissue(ax, result)
    labels = result.spots["label"].astype(str).to_numpy()
    handles = _draw_groups(ax, result, {name: labels == name for name in LABEL_STYLES})
    _draw_regions(ax, result)
    if legend:
        _add_legend(ax, [*handles, *_region_handles(result)])


def draw_labels(ax: Axes, result: SectionResult, labels: Array, *, legend: bool = True) -> None:
    """Draw the spots with a known label (1 cancer, 0 normal), in the order of the section, and a legend."""
    draw_tissue(ax, result)
    handles = _draw_groups(ax, result, {name: labels == value for name, value in LABELS.items()})
    if legend:
        _add_legend(ax, handles)


def _draw_groups(ax: Axes, result: SectionResult, groups: dict[Label, Array]) -> list[Artist]:
    """Draw groups of spots, each in the colour of its label, and return what a legend shows of them."""
    handles: list[Artist] = []
    for name, mask in groups.items():
        colour = LABEL_STYLES[name].hex_colour
        add_spots(ax, result, mask, colour)
        handles += [Patch(color=colour, label=f"{name}: {mask.sum()} spots")] if mask.any() else []
    return handles


def _draw_regions(ax: Axes, result: SectionResult) -> None:
    """Draw the outlines of cancer regions, or say in the title why there are none."""
    if result.no_regions_reason:
        ax.set_title(f"{result.section_id}\n{result.no_regions_reason}")
    for region in result.regions:
        rings = [shapely.get_coordinates(ring) * result.um_per_px for ring in shapely.get_rings(region.outline)]
        outline = Outline.make_compound_path(*(Outline(ring, closed=True) for ring in rings))
        ax.add_patch(PathPatch(outline, fill=False, edgecolor=CANCER.hex_colour, linewidth=REGION_POINTS))


def _region_handles(result: SectionResult) -> list[Artist]:
    if not result.regions:
        return []
    text = f"cancer regions: {result.cancer_mm2:.3g} mm²"
    return [Line2D([], [], color=CANCER.hex_colour, linewidth=REGION_POINTS, label=text)]


def _add_legend(ax: Axes, handles: list[Artist]) -> None:
    if handles:
        place: dict[str, Any] = {"loc": "upper left", "bbox_to_anchor": (0, -0.01), "borderaxespad": 0}
        ax.legend(handles=handles, ncols=2, frameon=False, fontsize="small", **place)
