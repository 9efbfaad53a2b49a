"""Centres and areas of what a table annotates: circles, polygons, the labels of a picture, or points."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from spacrd_core.errors import GeometryError
from spacrd_core.quoting import shortened
from spacrd_readers.spatialdata.library import translate_errors

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

Kind = Literal["circle", "polygon", "label", "point"]
BIN_POINTS = re.compile(r"bin(\d+)_genes")  # Stereo-seq: squares of so many px
MAX_BLOCK_PX = 2**24  # px of a picture of labels that are read at once
MAX_BAND_PX = 2**21  # px of them that are counted at once
MAX_SPAN = 4  # labels of a band from its first to its last, per px: above this they are sorted first


def measure(element: Any, name: str, path: Path) -> tuple[pd.DataFrame, Kind]:
    """Return ``x``, ``y`` and ``area`` of every shape, label or point, by its id as text, in the element's own units.

    Bins of Stereo-seq are points at their corners, which are moved to their centres; other points have no area.

    Raises
    ------
    GeometryError
        If the element is not flat.
    """
    with translate_errors(path):
        if hasattr(element, "geometry"):
            return _shapes(element)
        if hasattr(element, "npartitions"):
            return _points(element, name), "point"
        if hasattr(element, "children"):  # a picture of labels at several scales, the finest first
            element = next(iter(next(iter(element.children.values())).data_vars.values()))
        if getattr(element, "dims", ()) != ("y", "x"):
            raise GeometryError(
                f"the region '{shortened(name)}' of {path} is neither shapes nor labels of a plane",
                hint="annotate 2D shapes or labels",
            )
        return _labels(element.data), "label"


def _shapes(shapes: Any) -> tuple[pd.DataFrame, Kind]:
    centres = shapes.geometry.centroid
    index = pd.Index(shapes.index.astype(str), dtype=object)
    kind: Kind = "circle" if "radius" in shapes.columns else "polygon"
    areas = np.pi * shapes["radius"].to_numpy(dtype=float) ** 2 if kind == "circle" else shapes.geometry.area.to_numpy()
    frame = pd.DataFrame({"x": centres.x.to_numpy(), "y": centres.y.to_numpy(), "area": areas}, index=index)
    return frame, kind


def _points(points: Any, name: str) -> pd.DataFrame:
    table = points[["x", "y"]].compute().astype(np.float64)
    match = BIN_POINTS.fullmatch(name)
    width = float(match[1]) if match else np.nan
    if match and not (table % width).to_numpy().any():
        table += width / 2
    return table.assign(area=width**2).set_axis(pd.Index(table.index.astype(str), dtype=object), axis=0)


def _labels(picture: Any) -> pd.DataFrame:
    """Return the centre of the px of every label; the first px is at (0.5, 0.5). Label 0 is the background.

    Labels of one px each are bins that the library made a picture of: it maps the corner of a px to the bin's centre.
    """
    parts = [
        _band_sums(block[first : first + rows], top + first, left)
        for top, left, block in _blocks(picture)
        for rows in [max(1, MAX_BAND_PX // block.shape[1])]
        for first in range(0, len(block), rows)
        if block[first : first + rows].any()
    ]
    if not parts:
        return pd.DataFrame({"x": [], "y": [], "area": []}, index=pd.Index([], dtype=object), dtype=float)
    sums = pd.concat(parts).groupby(level=0).sum()
    frame = pd.DataFrame({"x": sums["x"] / sums["area"], "y": sums["y"] / sums["area"], "area": sums["area"]})
    if (frame["area"] == 1).all():
        frame[["x", "y"]] -= 0.5
    return frame.set_axis(pd.Index(frame.index.astype(np.int64).astype(str), dtype=object), axis=0)


def _band_sums(band: NDArray[Any], top: int, left: int) -> pd.DataFrame:
    """Return the sums of x and y, and the count, of the px of each label of some rows."""
    first, last = int(band.min()), int(band.max())
    if last - first <= MAX_SPAN * band.size:
        names, position = np.arange(first, last + 1), band.astype(np.int64).ravel() - first
    else:
        names, position = np.unique(band, return_inverse=True)
        position = position.ravel()
    height, width = band.shape
    count = np.bincount(position, minlength=len(names))
    x = np.bincount(position, weights=np.tile(np.arange(width) + left + 0.5, height), minlength=len(names))
    y = np.bincount(position, weights=np.repeat(np.arange(height) + top + 0.5, width), minlength=len(names))
    found = np.flatnonzero((count > 0) & (names != 0))
    return pd.DataFrame({"x": x[found], "y": y[found], "area": count[found].astype(float)}, index=names[found])


def _blocks(picture: Any) -> Iterator[tuple[int, int, NDArray[Any]]]:
    """Yield the blocks of a picture as stored, or smaller ones, each with its first row and column."""
    height, width = picture.shape
    across = min(width, max(picture.chunks[1]))
    down = max(1, min(max(picture.chunks[0]), MAX_BLOCK_PX // max(1, across)))
    for top in range(0, height, down):
        for left in range(0, width, across):
            yield top, left, np.asarray(picture[top : top + down, left : left + across])
