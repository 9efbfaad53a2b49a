"""Refuse outlines that cross themselves or each other too often: a hundred kilobytes can cross ten million times.

Repairing or joining outlines makes a corner of every crossing, so the time and memory are those of the crossings.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely

from spacrd_core.errors import LabelError

if TYPE_CHECKING:
    from pathlib import Path

    from spacrd_core.arrays import Array

JOINED = (100_000, 20.0)  # crossings that are borne, and those of every edge: cells cross a few neighbours
REPAIRED = (2_000, 0.1)  # of outlines that are repaired, whose time is that of the crossings squared
TREE_EDGES = 1_000_000
SAMPLED_PAIRS = 20_000_000  # edges that are tried, times edges of the tree


def require_untangled(shapes: Array, path: Path, most: tuple[int, float] = JOINED) -> None:
    """Require that the edges of some polygons cross a bearable number of times, by a sample of them.

    Raises
    ------
    LabelError
        If they do not.
    """
    edges = _edges(shapes)
    if len(edges) ** 2 < most[0]:
        return
    tree = shapely.STRtree(_every(edges, TREE_EDGES))
    sample = _every(edges, min(500, max(20, SAMPLED_PAIRS // len(tree))))
    of_one = len(edges) ** 2 / (2 * len(sample) * len(tree))  # what a crossing in the sample counts for
    bearable, crossings = most[0] + most[1] * len(edges), 0.0
    for edge in sample:
        crossings += of_one * len(tree.query(edge, predicate="crosses"))
        if crossings > bearable:
            raise LabelError(
                f"the outlines of {path} cross themselves or each other more than {bearable:,.0f} times",
                hint="draw them again, or simplify them",
            )


def _edges(shapes: Array) -> Array:
    """Return the edges of polygons as lines of two points."""
    corners, ring = shapely.get_coordinates(shapely.get_rings(shapely.get_parts(shapes)), return_index=True)
    pairs = np.stack([corners[:-1], corners[1:]], axis=1)[ring[1:] == ring[:-1]]
    edges: Array = shapely.linestrings(pairs)
    return edges


def _every(edges: Array, most: int) -> Array:
    """Return edges at even distances, at most so many."""
    return edges[:: -(-len(edges) // most)]
