"""The distance of spots from the border of the cancer regions.

The border separates spots in a region from called spots beside them that are in none. It passes halfway between the
two, so it cuts the corners that the outline of a region has because its spots are on a lattice. An outline that faces
no called spot is not a border: there the tissue or the measurement ends, and nothing is known about an invasive margin.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from spacrd_core.results.regions import MIN_EDGE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spacrd_core.detection.bands import Bands
    from spacrd_core.results.regions import Tessellation


@dataclass(frozen=True, eq=False)
class Margins:
    """Where the spots of a section are relative to the border of its cancer regions.

    Attributes
    ----------
    distance_um
        Distance of each spot's centre from the nearest border: negative inside regions, positive outside; NaN where it
        is unknown.
    bands
        How the section is divided by this distance.
    """

    distance_um: NDArray[np.float64]
    bands: Bands

    @property
    def has_border(self) -> bool:
        """Whether any spot has a distance."""
        return bool(np.isfinite(self.distance_um).any())

    @cached_property
    def band(self) -> pd.Categorical:
        """The band of each spot, from the core outwards; missing where the distance is unknown."""
        codes = np.searchsorted(self.bands.limits_um, self.distance_um, side="right")
        codes[np.isnan(self.distance_um)] = -1
        return pd.Categorical.from_codes(codes, self.bands.names, ordered=True)


def border_distances(
    points: NDArray[np.float64],
    tessellation: Tessellation,
    inside: NDArray[np.bool_],
    known: NDArray[np.bool_],
    pitch: float,
) -> NDArray[np.float64]:
    """Return the distance of every spot's centre from the nearest border: negative inside regions, positive outside.

    The distance is a straight line, in the unit of the points. It is NaN for spots that are not known to be in a region
    or outside, and for all spots if there is no border.

    Parameters
    ----------
    points, tessellation, pitch
        The centres of the spots, their cells, and the distance between neighbours, in one unit.
    inside, known
        Which spots are in a region, and of which this is known.
    """
    distances = np.full(len(points), np.nan)
    border = border_lines(tessellation, inside, known, pitch)
    if len(border):
        spots = np.flatnonzero(known)
        tree = shapely.STRtree(border)
        _, nearest = tree.query_nearest(shapely.points(points[spots]), all_matches=False, return_distance=True)
        distances[spots] = np.where(inside[spots], -nearest, nearest)
    return distances


def border_lines(
    tessellation: Tessellation, inside: NDArray[np.bool_], known: NDArray[np.bool_], pitch: float
) -> NDArray[np.object_]:
    """Return the border as straight pieces: through the middle of every cell edge between inside and outside.

    Where two such edges meet, their middles are joined; where the border ends or crosses itself, it goes through the
    corner of the cells.
    """
    first, second = tessellation.edge_spots.T
    between = (first >= 0) & (second >= 0) & (inside[first] != inside[second]) & known[first] & known[second]
    ends = tessellation.edges[between].reshape(-1, 2, 2)
    if not len(ends):
        return np.empty(0, dtype=object)
    middle = np.repeat(ends.mean(axis=1), 2, axis=0)  # one row for each end of an edge
    corner = _same_place(ends.reshape(-1, 2), MIN_EDGE * pitch)
    order = np.argsort(corner, kind="stable")
    sizes = np.bincount(corner)
    meeting = order[np.repeat(sizes == 2, sizes)].reshape(-1, 2)
    others = order[np.repeat(sizes != 2, sizes)]
    joined = np.stack([middle[meeting[:, 0]], middle[meeting[:, 1]]], axis=1)
    ending = np.stack([middle[others], ends.reshape(-1, 2)[others]], axis=1)
    return np.asarray(shapely.linestrings(np.concatenate([joined, ending])), dtype=object)


def _same_place(points: NDArray[np.float64], distance: float) -> NDArray[np.int64]:
    """Return a number for every point, the same for points that are not farther apart than ``distance``."""
    first, second = cKDTree(points).query_pairs(distance, output_type="ndarray").T
    graph = coo_array((np.ones(len(first)), (first, second)), shape=(len(points), len(points)))
    return np.asarray(connected_components(graph, directed=False)[1], dtype=np.int64)
