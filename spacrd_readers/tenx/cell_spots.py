"""The spots that cells make: squares of a grid that cells are summed into, or the cells as they are.

The grid is anchored at (0, 0) um, so that a section always gives the same squares, whatever its cells.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from spacrd_core.section.geometry import estimate_pitch

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spacrd_core.section.section import SpotShape

CELL_UM = 10.0  # across, where the table of cells does not say


@dataclass(frozen=True, eq=False)
class Spots:
    """The spots some cells make.

    Attributes
    ----------
    table
        A row a spot, by id: ``x_um, y_um`` and, of a grid, ``array_x, array_y, n_cells``.
    of_cell
        The spot each cell lies in.
    """

    table: pd.DataFrame
    of_cell: NDArray[np.int32]
    spot_um: float
    shape: SpotShape
    pitch_um: float
    notes: tuple[str, ...] = ()

    def sums(self, values: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return what the cells of every spot have together."""
        return np.bincount(self.of_cell, weights=values, minlength=len(self.table)).astype(np.int64)


def on_grid(xy_um: NDArray[np.float64], spot_um: float) -> Spots:
    """Return the squares of a grid that hold the centroids of cells (n x 2, um); empty ones are absent."""
    squares = np.floor(xy_um / spot_um).astype(np.int64)
    low = squares.min(axis=0)
    width = squares[:, 0].max() - low[0] + 1
    keys = (squares[:, 1] - low[1]) * width + squares[:, 0] - low[0]
    found, of_cell, cells = np.unique(keys, return_inverse=True, return_counts=True)
    x, y = found % width + low[0], found // width + low[1]
    table = {"x_um": (x + 0.5) * spot_um, "y_um": (y + 0.5) * spot_um, "array_x": x.astype(float)}
    ids = pd.Index([f"x{i:05d}_y{j:05d}" for i, j in zip(x, y, strict=True)], dtype=object)
    frame = pd.DataFrame({**table, "array_y": y.astype(float), "n_cells": cells}, index=ids)
    return Spots(frame, of_cell.astype(np.int32), spot_um, "square", spot_um)


def as_cells(xy_um: NDArray[np.float64], ids: NDArray[np.bytes_], areas: NDArray[np.float64] | None) -> Spots:
    """Return every cell as a spot, as large as a disc of the median cell's area."""
    table = pd.DataFrame({"x_um": xy_um[:, 0], "y_um": xy_um[:, 1]}, index=pd.Index(ids.astype(str), dtype=object))
    across, notes = _across(areas)
    return Spots(table, np.arange(len(ids), dtype=np.int32), across, "disc", estimate_pitch(xy_um), notes)


def _across(areas: NDArray[Any] | None) -> tuple[float, tuple[str, ...]]:
    known = areas[areas > 0] if areas is not None else np.empty(0)
    if len(known):
        return float(2 * np.sqrt(np.median(known) / np.pi)), ()
    return CELL_UM, (f"the table of cells says no areas: cells are taken as {CELL_UM:g} um across",)
