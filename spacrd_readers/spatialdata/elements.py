"""Centres and areas of what a table annotates: circles, polygons, or the labels of a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from spacrd_core.errors import GeometryError
from spacrd_readers.spatialdata.library import translate_errors

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

Kind = Literal["circle", "polygon", "label"]
MAX_BLOCK_PX = 2**24  # px of a picture of labels that are counted at once


def measure(element: Any, name: str, path: Path) -> tuple[pd.DataFrame, Kind]:
    """Return ``x``, ``y`` and ``area`` of every shape or label, by its id as text, in the element's own units.

    Raises
    ------
    GeometryError
        If the element is not flat.
    """
    with translate_errors(path):
        if hasattr(element, "geometry"):
            return _shapes(element)
        if hasattr(element, "children"):  # a picture of labels at several scales, the finest first
            element = next(iter(next(iter(element.children.values())).data_vars.values()))
        if getattr(element, "dims", ()) != ("y", "x"):
            raise GeometryError(
                f"the region '{name}' of {path} is neither shapes nor labels of a plane",
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


def _labels(picture: Any) -> pd.DataFrame:
    """Return the centre of the px of every label; the first px is at (0.5, 0.5). Label 0 is the background."""
    sums = pd.DataFrame({"x": [], "y": [], "area": []}, index=pd.Index([], dtype=np.int64), dtype=float)
    for top, left, block in _blocks(picture):
        sums = sums.add(_block_sums(block, top, left), fill_value=0)
    frame = pd.DataFrame({"x": sums["x"] / sums["area"], "y": sums["y"] / sums["area"], "area": sums["area"]})
    return frame.set_axis(pd.Index(frame.index.astype(np.int64).astype(str), dtype=object), axis=0)


def _block_sums(block: NDArray[Any], top: int, left: int) -> pd.DataFrame:
    rows, columns = np.nonzero(block)
    labels, position = np.unique(block[rows, columns], return_inverse=True)
    sums = {
        "x": np.bincount(position, weights=columns + left + 0.5, minlength=len(labels)),
        "y": np.bincount(position, weights=rows + top + 0.5, minlength=len(labels)),
        "area": np.bincount(position, minlength=len(labels)).astype(float),
    }
    return pd.DataFrame(sums, index=pd.Index(labels.astype(np.int64)))


def _blocks(picture: Any) -> Iterator[tuple[int, int, NDArray[Any]]]:
    """Yield the blocks of a picture as stored, or smaller ones, each with its first row and column."""
    height, width = picture.shape
    across = min(width, max(picture.chunks[1]))
    down = max(1, min(max(picture.chunks[0]), MAX_BLOCK_PX // max(1, across)))
    for top in range(0, height, down):
        for left in range(0, width, across):
            yield top, left, np.asarray(picture[top : top + down, left : left + across])
