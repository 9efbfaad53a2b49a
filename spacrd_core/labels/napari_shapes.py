"""Read the CSV of a shapes layer of napari, whose first axis is y."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from spacrd_core.errors import LabelError
from spacrd_core.labels.delimited import read_delimited
from spacrd_core.labels.numbers import parse_numbers
from spacrd_core.labels.outlines import Polygons, ellipse, repaired, ring

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pandas as pd
    import shapely

    from spacrd_core.arrays import Array

COLUMNS = frozenset(("index", "shape-type", "vertex-index", "axis-0", "axis-1"))
CLASS_COLUMNS = ("label", "labels", "class", "classification", "annotation", "name", "feature")
AXIS = re.compile(r"axis-[0-9]{1,3}")
AREAS = ("polygon", "rectangle", "ellipse")
EXPORT_HINT = "save the shapes layer as CSV again, with the image as the only other axes"


def is_shapes(text: str) -> bool:
    """Return whether a text has the header of a shapes layer of napari."""
    header = text.lstrip().partition("\n")[0]
    return {name.strip().strip('"').casefold() for name in re.split(r"[,;\t]", header)} >= COLUMNS


def read_shapes(text: str, path: Path) -> Polygons:
    """Return the areas of a shapes layer.

    napari writes no class: it is a column that was added (``label``, ``class``, ...), or else ``shape N`` by its index.

    Raises
    ------
    LabelError
        If no shape has an area, or the shapes are in more than two axes.
    """
    table = read_delimited(text, path)
    corners = _corners(table, path)
    index, order = parse_numbers(table["index"]), parse_numbers(table["vertex-index"])
    class_column = next((name for name in CLASS_COLUMNS if name in table.columns), None)
    kinds = table["shape-type"].str.casefold().tolist()
    classes = table[class_column].tolist() if class_column else [f"shape {number:.0f}" for number in index]
    shapes, values, left_out = [], [], Counter[str]()
    for rows in _rows_of_shapes(index, order):
        kind = str(kinds[rows[0]])
        if kind not in AREAS:
            left_out[f"{kind}s"] += 1
            continue
        shapes.append(_outline(kind, corners[rows]))
        values.append(str(classes[rows[0]]))
    if not shapes:
        raise LabelError(f"the shapes {path} have no polygon, rectangle or ellipse", hint=EXPORT_HINT)
    summary = ", ".join(f"{count} {kind}" for kind, count in left_out.items())
    notes = [f"{path.name}: read as shapes of napari, in px of the image, axis-0 as y"]
    notes += [f"{path.name}: left out: {summary}"] if summary else []
    outlines, repair_notes = repaired(shapes, path)
    return Polygons(path, outlines, tuple(values), (*notes, *repair_notes))


def _rows_of_shapes(index: Array, order: Array) -> Iterator[Array]:
    """Yield the rows of every shape, by its index and in the order of its corners."""
    rows = np.lexsort((order, index))
    rows = rows[np.isfinite(index[rows])]
    if len(rows):
        yield from np.split(rows, np.flatnonzero(np.diff(index[rows])) + 1)


def _corners(table: pd.DataFrame, path: Path) -> Array:
    """Return x and y of every corner: the last axis and the one before it."""
    axes = sorted((name for name in table.columns if AXIS.fullmatch(name)), key=lambda name: int(name[5:]))
    values = np.column_stack([parse_numbers(table[name]) for name in axes])
    if not np.isfinite(values).all():
        raise LabelError(f"the shapes {path} have coordinates that are not numbers", hint=EXPORT_HINT)
    if len(axes) > 2 and np.ptp(values[:, :-2], axis=0).any():
        raise LabelError(f"the shapes {path} are in several planes of {', '.join(axes[:-2])}", hint=EXPORT_HINT)
    return values[:, [-1, -2]]


def _outline(kind: str, corners: Array) -> shapely.Geometry:
    return ellipse(corners) if kind == "ellipse" else ring(corners)
