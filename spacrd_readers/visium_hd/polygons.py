"""The outlines of segmented cells: a GeoJSON of half a million polygons, of which only the middles are kept."""

from __future__ import annotations

import json
import re
from itertools import chain
from typing import IO, TYPE_CHECKING, Any

import numpy as np
import shapely

from spacrd_core.errors import GeometryError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

PIECE = 2**22  # characters read at once
LONGEST = 2**26  # characters of one feature; that of a cell has a thousand
TOGETHER = 10_000  # polygons turned into points at once
START = re.compile(r'"features"\s*:\s*\[')
BETWEEN = re.compile(r"[\s,]*")
Ring = list[list[float]]


def read_centroids(path: Path) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the numbers of the cells in a ``cell_segmentations.geojson``, and their centroids (n x 2, px).

    Raises
    ------
    GeometryError
        If it is no GeoJSON of polygons, each with the integer ``cell_id``.
    """
    ids: list[int] = []
    rings: list[Ring] = []
    middles = [np.empty((0, 2))]
    try:
        for feature in _features(path):
            number, ring = _cell(feature, len(ids) + 1)
            ids.append(number)
            rings.append(ring)
            if len(rings) == TOGETHER:
                middles.append(_middles(rings))
                rings.clear()
        if rings:
            middles.append(_middles(rings))
    except (ValueError, RecursionError, OSError) as error:
        raise GeometryError(
            f"{path} is no GeoJSON of cells: {error}", hint="copy cell_segmentations.geojson again from the run"
        ) from error
    return np.array(ids, dtype=np.int64), np.concatenate(middles)


def _features(path: Path) -> Iterator[Any]:
    """Yield the features one by one: as a whole they take ten times the room of the file."""
    decoder = json.JSONDecoder()
    with path.open(encoding="utf-8-sig") as stream:
        text = stream.read(PIECE)
        start = START.search(text)
        if start is None:
            raise ValueError("it has no list of features")
        place = start.end()
        while True:
            place = _skipped(text, place)
            if text.startswith("]", place):
                return
            try:
                feature, place = decoder.raw_decode(text, place)
            except json.JSONDecodeError:
                text, place = _more(stream, text[place:]), 0
            else:
                yield feature


def _skipped(text: str, place: int) -> int:
    found = BETWEEN.match(text, place)
    return found.end() if found else place


def _more(stream: IO[str], rest: str) -> str:
    """Return what is left of a piece and the next one."""
    if len(rest) > LONGEST or not (piece := stream.read(PIECE)):
        raise ValueError("it breaks off, or is damaged")
    return rest + piece


def _cell(feature: Any, place: int) -> tuple[int, Ring]:
    """Return the number of a cell and its outline: that of its most detailed piece, if it is in pieces."""
    try:
        geometry, number = feature["geometry"], int(feature["properties"]["cell_id"])
        pieces = {"Polygon": [geometry["coordinates"]], "MultiPolygon": geometry["coordinates"]}[geometry["type"]]
        ring = max((piece[0] for piece in pieces), key=len)
    except (LookupError, TypeError, ValueError) as error:
        raise ValueError(f"its feature {place} is no polygon with a number as cell_id") from error
    return number, ring if len(ring) > 3 else ring * 4  # a cell of one or two px has no area, but a middle


def _middles(rings: list[Ring]) -> NDArray[np.float64]:
    points = np.array(list(chain.from_iterable(rings)), dtype=np.float64)[:, :2]
    of_ring = np.repeat(np.arange(len(rings)), [len(ring) for ring in rings])
    outlines = shapely.polygons(shapely.linearrings(points, indices=of_ring))
    return np.asarray(shapely.get_coordinates(shapely.centroid(outlines)))
