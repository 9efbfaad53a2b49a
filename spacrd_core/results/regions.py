"""From spots to regions: the tissue each spot stands for, and the outlines of the spots over a threshold.

A spot measures a disc with a gap to the next one, but stands for all tissue nearer to it than to any other spot. These
cells tile the measured tissue, so areas add up and neighbours touch. At the rim of the tissue a cell ends where the
next spot of the lattice would have begun. A missing spot, or one under the threshold, is a hole, however small; a lone
spot over the threshold is no region: two that touch are the smallest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import Voronoi, cKDTree

if TYPE_CHECKING:
    from numpy.typing import NDArray


REACH = 1.3  # of the pitch: farther than a jittered lattice neighbour, nearer than a diagonal one
SLIVER = 1e-3  # of the pitch: cells that share less of an edge meet in a corner only


@dataclass(frozen=True)
class Region:
    """Touching spots over the threshold: their outline, and which spots they are."""

    outline: shapely.Geometry
    spots: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Cells:
    """The cells of some spots, in the frame of the points they were made from.

    Attributes
    ----------
    polygons
        One a spot.
    edges
        ``x0, y0, x1, y1`` of every edge of every cell, once.
    sides
        The two spots an edge lies between; -1 for no spot.
    """

    polygons: NDArray[np.object_]
    edges: NDArray[np.float64]
    sides: NDArray[np.int64]

    @property
    def areas(self) -> NDArray[np.float64]:
        """The area of every cell."""
        return np.asarray(shapely.area(self.polygons), dtype=float)

    @property
    def neighbours(self) -> NDArray[np.int64]:
        """Pairs of spots whose cells share an edge."""
        return self.sides[(self.sides >= 0).all(axis=1)]

    def levels(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the highest threshold at which each spot is part of a region: with it, a neighbour must be over it."""
        best = np.full(len(values), -np.inf)
        first, second = self.neighbours.T
        np.fmax.at(best, first, values[second])
        np.fmax.at(best, second, values[first])
        return np.asarray(np.minimum(values, best), dtype=float)

    def regions(self, values: NDArray[np.float64], threshold: float) -> list[Region]:
        """Return the outlines of touching spots whose value is at least the threshold, largest first."""
        members = np.flatnonzero(self.levels(values) >= threshold)
        inside = np.isin(self.neighbours, members).all(axis=1)
        first, second = self.neighbours[inside].T
        graph = coo_array((np.ones(len(first)), (first, second)), shape=(len(values), len(values)))
        _, component = connected_components(graph, directed=False)
        groups = [members[component[members] == name] for name in np.unique(component[members])]
        groups.sort(key=len, reverse=True)
        return [Region(shapely.coverage_union_all(self.polygons[group]), group) for group in groups]


def tessellate(points: NDArray[np.float64], pitch: float) -> Cells:
    """Return the cell of every point of a lattice of that pitch, however jittered, cropped or holed."""
    if not len(points):
        return Cells(np.empty(0, dtype=object), np.empty((0, 4)), np.empty((0, 2), dtype=np.int64))
    origin = points.mean(axis=0)
    centred = points - origin
    far = 10 * (np.abs(centred).max() + pitch) * np.array([[-1, -1], [-1, 1], [1, -1], [1, 1]])
    diagram = Voronoi(np.vstack([centred, _ghosts(centred, pitch), far]))
    corners = diagram.vertices + origin
    regions = [diagram.regions[number] for number in diagram.point_region[: len(points)]]
    polygons = np.empty(len(points), dtype=object)
    polygons[:] = [shapely.Polygon(corners[region]) for region in regions]
    sides = np.where(diagram.ridge_points < len(points), diagram.ridge_points, -1).astype(np.int64)
    ends = np.asarray(diagram.ridge_vertices)
    real = (sides >= 0).any(axis=1) & (ends >= 0).all(axis=1)
    edges = corners[ends[real]].reshape(-1, 4)
    long = np.hypot(*(edges[:, 2:] - edges[:, :2]).T) > SLIVER * pitch
    return Cells(polygons, edges[long], sides[real][long])


def _ghosts(points: NDArray[np.float64], pitch: float) -> NDArray[np.float64]:
    """Return where the lattice would go on: points a pitch away, in every direction a spot has no neighbour in."""
    pairs = cKDTree(points).query_pairs(REACH * pitch, output_type="ndarray")
    lonely = np.setdiff1d(np.arange(len(points)), pairs)
    centre = np.concatenate([pairs[:, 0], pairs[:, 1], lonely])
    other = np.concatenate([pairs[:, 1], pairs[:, 0], lonely])
    across, down = (points[other] - points[centre]).T
    centre, angle, gap = _gaps(centre, np.arctan2(down, across))

    corner = gap[gap < np.radians(120)]  # between the directions of two neighbours: 60 degrees on a hexagonal lattice
    step = np.radians(60 if len(corner) and np.median(corner) < np.radians(75) else 90)
    missing = np.maximum(np.rint(gap / step).astype(int) - 1, 0)
    nth = np.arange(missing.sum()) - np.repeat(np.cumsum(missing) - missing, missing) + 1
    heading = np.repeat(angle, missing) + nth * np.repeat(gap / (missing + 1), missing)
    ghosts = np.repeat(points[centre], missing, axis=0) + pitch * np.column_stack([np.cos(heading), np.sin(heading)])
    ghosts = np.vstack([ghosts, points[lonely] + [pitch, 0.0]])
    _, kept = np.unique(np.rint(ghosts / (0.1 * pitch)), axis=0, return_index=True)
    free = cKDTree(points).query(ghosts[kept])[0] > 0.6 * pitch
    return np.asarray(ghosts[kept][free], dtype=float)


def _gaps(
    centre: NDArray[np.int64], angle: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Sort directions by spot and angle; return both, and the angle from each to the spot's next one."""
    order = np.lexsort((angle, centre))
    centre, angle = centre[order], angle[order]
    starts = np.flatnonzero(np.diff(centre, prepend=-1))
    following = np.arange(1, len(centre) + 1)
    following[np.append(starts[1:], len(centre)) - 1] = starts
    gap = (angle[following] - angle) % (2 * np.pi)
    gap[following == np.arange(len(centre))] = 2 * np.pi  # one neighbour only: all the way round
    return centre, angle, gap
