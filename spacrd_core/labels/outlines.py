"""Polygons with a class text, as every reader of drawn annotations returns them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import shapely

from spacrd_core.labels.tangles import REPAIRED, require_untangled

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from spacrd_core.arrays import Array
    from spacrd_core.labels.own_export import ExportedSpots


@dataclass(frozen=True, eq=False)
class Polygons:
    """The classified annotations of a file.

    Attributes
    ----------
    shapes
        Valid polygons and multipolygons.
    values
        The class of each, as text.
    notes
        Sentences on what was left out or repaired.
    unit
        Of the coordinates: ``px`` of the image, or ``um`` of the section.
    spots
        The spots in a file that SpaCRD exported, which show its frame.
    """

    path: Path
    shapes: NDArray[np.object_]
    values: tuple[str, ...]
    notes: tuple[str, ...] = ()
    unit: Literal["px", "um"] = "px"
    spots: ExportedSpots | None = None


def repaired(outlines: Sequence[shapely.Geometry], path: Path) -> tuple[NDArray[np.object_], tuple[str, ...]]:
    """Return outlines without self-intersections, and a note if any was repaired."""
    shapes = np.empty(len(outlines), dtype=object)
    shapes[:] = list(outlines)
    broken = ~shapely.is_valid(shapes)
    require_untangled(shapes[broken], path, REPAIRED)
    shapes[broken] = [polygonal(outline) for outline in shapely.make_valid(shapes[broken])]
    note = f"{path.name}: self-intersecting polygons, repaired: {broken.sum()}"
    return shapes, (note,) if broken.any() else ()


def polygonal(outline: shapely.Geometry) -> shapely.Geometry:
    """Return the polygons among the parts of a geometry."""
    parts = shapely.get_parts(shapely.get_parts(outline))
    polygons = parts[shapely.get_type_id(parts) == shapely.GeometryType.POLYGON]
    return polygons[0] if len(polygons) == 1 else shapely.multipolygons(polygons)


def ring(corners: Array) -> shapely.Geometry:
    """Return the polygon of a ring, open or closed; empty if it has fewer than three corners."""
    return shapely.Polygon(corners) if len(corners) >= 3 else shapely.Polygon()


def ellipse(corners: Array) -> shapely.Geometry:
    """Return the ellipse in the upright box around its corners."""
    low, high = corners.min(axis=0), corners.max(axis=0)
    angles = np.linspace(0.0, 2 * np.pi, 72, endpoint=False)
    return ring((low + high) / 2 + np.column_stack([np.cos(angles), np.sin(angles)]) * (high - low) / 2)


def box(corners: Array) -> shapely.Geometry:
    """Return the upright box around its corners."""
    return shapely.box(*corners.min(axis=0), *corners.max(axis=0))
