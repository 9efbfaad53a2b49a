"""Cancer regions from spots: the tissue that each spot represents, and outlines of the spots above a threshold.

A spot measures a disc with a gap to the next one, but represents its Voronoi cell: all tissue that is nearer to it than
to any other spot. The cells tile the measured tissue, so areas add up and neighbours touch. At the edge of the tissue,
a cell ends where the cell of the next lattice position would begin. A missing spot, or one below the threshold, is a
hole, however small. A single spot above the threshold is not a region; the smallest region is two touching spots.
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


NEIGHBOUR_RADIUS = 1.3  # in pitches: beyond a jittered lattice neighbour, below a diagonal one
MIN_EDGE = 1e-3  # in pitches: cells that share a shorter edge touch only in a corner


@dataclass(frozen=True)
class Region:
    """Touching spots above the threshold: their outline and their indices."""

    outline: shapely.Geometry
    spots: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Tessellation:
    """The Voronoi cells of spots, in the coordinates of the points they were computed from.

    Attributes
    ----------
    polygons
        One cell per spot.
    edges
        ``x0, y0, x1, y1`` of every cell edge; an edge shared by two cells is listed once.
    edge_spots
        The two spots on either side of an edge; -1 for none.
    """

    polygons: NDArray[np.object_]
    edges: NDArray[np.float64]
    edge_spots: NDArray[np.int64]

    @property
    def areas(self) -> NDArray[np.float64]:
        """The area of every cell."""
        return np.asarray(shapely.area(self.polygons), dtype=float)

    @property
    def neighbours(self) -> NDArray[np.int64]:
        """Pairs of spots whose cells share an edge."""
        return self.edge_spots[(self.edge_spots >= 0).all(axis=1)]

    def region_levels(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the highest threshold at which each spot belongs to a region: a neighbour must reach it too."""
        best_neighbour = np.full(len(values), -np.inf)
        first, second = self.neighbours.T
        np.fmax.at(best_neighbour, first, values[second])
        np.fmax.at(best_neighbour, second, values[first])
        return np.asarray(np.minimum(values, best_neighbour), dtype=float)

    def regions(self, values: NDArray[np.float64], threshold: float) -> list[Region]:
        """Return the regions of touching spots with values at or above the threshold, largest first."""
        members = np.flatnonzero(self.region_levels(values) >= threshold)
        inside = np.isin(self.neighbours, members).all(axis=1)
        first, second = self.neighbours[inside].T
        graph = coo_array((np.ones(len(first)), (first, second)), shape=(len(values), len(values)))
        _, component = connected_components(graph, directed=False)
        groups = [members[component[members] == label] for label in np.unique(component[members])]
        groups.sort(key=len, reverse=True)
        return [Region(shapely.coverage_union_all(self.polygons[group]), group) for group in groups]


def tessellate(points: NDArray[np.float64], pitch: float) -> Tessellation:
    """Return the Voronoi cells of lattice points; the lattice may be jittered, cropped and have holes."""
    if not len(points):
        return Tessellation(np.empty(0, dtype=object), np.empty((0, 4)), np.empty((0, 2), dtype=np.int64))
    origin = points.mean(axis=0)
    centred = points - origin
    bounds = 10 * (np.abs(centred).max() + pitch) * np.array([[-1, -1], [-1, 1], [1, -1], [1, 1]])
    diagram = Voronoi(np.vstack([centred, _virtual_neighbours(centred, pitch), bounds]))
    corners = diagram.vertices + origin
    regions = [diagram.regions[index] for index in diagram.point_region[: len(points)]]
    polygons = np.empty(len(points), dtype=object)
    polygons[:] = [shapely.Polygon(corners[region]) for region in regions]
    edge_spots = np.where(diagram.ridge_points < len(points), diagram.ridge_points, -1).astype(np.int64)
    ends = np.asarray(diagram.ridge_vertices)
    finite = (edge_spots >= 0).any(axis=1) & (ends >= 0).all(axis=1)
    edges = corners[ends[finite]].reshape(-1, 4)
    long = np.hypot(*(edges[:, 2:] - edges[:, :2]).T) > MIN_EDGE * pitch
    return Tessellation(polygons, edges[long], edge_spots[finite][long])


def _virtual_neighbours(points: NDArray[np.float64], pitch: float) -> NDArray[np.float64]:
    """Return the lattice positions just outside the measured spots: one pitch away where a neighbour is missing."""
    pairs = cKDTree(points).query_pairs(NEIGHBOUR_RADIUS * pitch, output_type="ndarray")
    isolated = np.setdiff1d(np.arange(len(points)), pairs)
    centre = np.concatenate([pairs[:, 0], pairs[:, 1], isolated])
    neighbour = np.concatenate([pairs[:, 1], pairs[:, 0], isolated])
    dx, dy = (points[neighbour] - points[centre]).T
    centre, angle, gap = _angular_gaps(centre, np.arctan2(dy, dx))

    corner = gap[gap < np.radians(120)]  # between two neighbours: 60 degrees on a hexagonal lattice, 90 on a square one
    step = np.radians(60 if len(corner) and np.median(corner) < np.radians(75) else 90)
    missing = np.maximum(np.rint(gap / step).astype(int) - 1, 0)
    nth = np.arange(missing.sum()) - np.repeat(np.cumsum(missing) - missing, missing) + 1
    heading = np.repeat(angle, missing) + nth * np.repeat(gap / (missing + 1), missing)
    virtual = np.repeat(points[centre], missing, axis=0) + pitch * np.column_stack([np.cos(heading), np.sin(heading)])
    virtual = np.vstack([virtual, points[isolated] + [pitch, 0.0]])
    _, unique = np.unique(np.rint(virtual / (0.1 * pitch)), axis=0, return_index=True)
    free = cKDTree(points).query(virtual[unique])[0] > 0.6 * pitch
    return np.asarray(virtual[unique][free], dtype=float)


def _angular_gaps(
    centre: NDArray[np.int64], angle: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Sort directions by spot and angle; return both, and the angle from each direction to the next one of the spot."""
    order = np.lexsort((angle, centre))
    centre, angle = centre[order], angle[order]
    starts = np.flatnonzero(np.diff(centre, prepend=-1))
    following = np.arange(1, len(centre) + 1)
    following[np.append(starts[1:], len(centre)) - 1] = starts
    gap = (angle[following] - angle) % (2 * np.pi)
    gap[following == np.arange(len(centre))] = 2 * np.pi  # a single neighbour: a full turn
    return centre, angle, gap
