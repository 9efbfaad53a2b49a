"""Read the centroids of segmented cells from a GeoJSON of half a million polygons."""

from __future__ import annotations

import json
import re
from itertools import chain
from typing import IO, TYPE_CHECKING, Any

import numpy as np
import shapely

from spacrd_core.errors import GeometryError
from spacrd_core.opening.kinds import refuse_special

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

CHUNK_CHARS = 2**22  # characters read at once
MAX_FEATURE_CHARS = 2**26  # a cell's feature has about a thousand
POLYGONS_PER_BATCH = 10_000  # polygons converted to centroids at once
FEATURES_START = re.compile(r'"features"\s*:\s*\[')
SEPARATOR = re.compile(r"[\s,]*")
DAMAGED_FILE_ERRORS = (
    *(ValueError, RecursionError, OSError, TypeError, LookupError, ArithmeticError, MemoryError),
    shapely.errors.ShapelyError,
)
Ring = list[list[float]]


def read_centroids(path: Path) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the numbers of the cells in a ``cell_segmentations.geojson``, and their centroids (n x 2, px).

    Raises
    ------
    GeometryError
        If it is not a GeoJSON of polygons with an integer ``cell_id`` each.
    """
    ids: list[int] = []
    rings: list[Ring] = []
    centroids = [np.empty((0, 2))]
    refuse_special(path, GeometryError)
    try:
        for feature in _read_features(path):
            number, ring = _parse_cell(feature, len(ids) + 1)
            ids.append(number)
            rings.append(ring)
            if len(rings) == POLYGONS_PER_BATCH:
                centroids.append(_centroids(rings))
                rings.clear()
        if rings:
            centroids.append(_centroids(rings))
        numbers = np.array(ids, dtype=np.int64)
    except DAMAGED_FILE_ERRORS as error:
        if isinstance(error, GeometryError):
            raise
        raise GeometryError(
            f"{path} is not a GeoJSON of cells: {error}", hint="copy cell_segmentations.geojson again from the run"
        ) from error
    return numbers, np.concatenate(centroids)


def _read_features(path: Path) -> Iterator[Any]:
    """Yield the features one by one: parsed as a whole, they take ten times the memory of the file."""
    decoder = json.JSONDecoder()
    with path.open(encoding="utf-8-sig") as stream:
        text = stream.read(CHUNK_CHARS)
        start = FEATURES_START.search(text)
        if start is None:
            raise ValueError("it has no list of features")
        offset = start.end()
        while True:
            offset = _skip_separator(text, offset)
            if text.startswith("]", offset):
                return
            try:
                feature, offset = decoder.raw_decode(text, offset)
            except json.JSONDecodeError:
                text, offset = _read_more(stream, text[offset:]), 0
            else:
                yield feature


def _skip_separator(text: str, offset: int) -> int:
    match = SEPARATOR.match(text, offset)
    return match.end() if match else offset


def _read_more(stream: IO[str], rest: str) -> str:
    """Return the rest of a chunk with the next chunk appended."""
    if len(rest) > MAX_FEATURE_CHARS or not (chunk := stream.read(CHUNK_CHARS)):
        raise ValueError("it is truncated or damaged")
    return rest + chunk


def _parse_cell(feature: Any, position: int) -> tuple[int, Ring]:
    """Return the number of a cell and its outline; of a multipolygon, the outline with the most points."""
    try:
        geometry, number = feature["geometry"], int(feature["properties"]["cell_id"])
        polygons = {"Polygon": [geometry["coordinates"]], "MultiPolygon": geometry["coordinates"]}[geometry["type"]]
        ring = max((polygon[0] for polygon in polygons), key=len)
    except (LookupError, TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"its feature {position} is not a polygon with a number as cell_id") from error
    return number, ring if len(ring) > 3 else ring * 4  # a cell of one or two px has no area, but a centroid


def _centroids(rings: list[Ring]) -> NDArray[np.float64]:
    points = np.array(list(chain.from_iterable(rings)), dtype=np.float64)[:, :2]
    ring_indices = np.repeat(np.arange(len(rings)), [len(ring) for ring in rings])
    outlines = shapely.polygons(shapely.linearrings(points, indices=ring_indices))
    return np.asarray(shapely.get_coordinates(shapely.centroid(outlines)))
