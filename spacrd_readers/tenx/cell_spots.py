"""Make spots from cells: squares of a grid that cells are summed into, or single cells.

The grid starts at (0, 0) um, so that the squares of a section do not depend on its cells.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from spacrd_core.section.geometry import estimate_pitch
from spacrd_readers.tenx.cell_coverage import square_coverage

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spacrd_core.section.section import SpotShape

DEFAULT_CELL_UM = 10.0  # diameter of a cell if the cell table has no areas


@dataclass(frozen=True, eq=False)
class CellSpots:
    """Spots made from cells.

    Attributes
    ----------
    table
        One row per spot, by id: ``x_um, y_um`` and, for a grid, ``array_x, array_y, n_cells, tissue_coverage``.
    spot_of_cell
        The index of the spot of each cell.
    """

    table: pd.DataFrame
    spot_of_cell: NDArray[np.int32]
    spot_um: float
    shape: SpotShape
    pitch_um: float
    notes: tuple[str, ...] = ()

    def sums(self, values: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the sum over the cells of each spot."""
        return np.bincount(self.spot_of_cell, weights=values, minlength=len(self.table)).astype(np.int64)


def square_spots(xy_um: NDArray[np.float64], spot_um: float) -> CellSpots:
    """Return the squares of a grid that hold the centroids of cells (n x 2, um); empty squares are omitted."""
    squares = np.floor(xy_um / spot_um).astype(np.int64)
    low = squares.min(axis=0)
    width = squares[:, 0].max() - low[0] + 1
    keys = (squares[:, 1] - low[1]) * width + squares[:, 0] - low[0]
    occupied, spot_of_cell, cells = np.unique(keys, return_inverse=True, return_counts=True)
    x, y = occupied % width + low[0], occupied // width + low[1]
    table = {"x_um": (x + 0.5) * spot_um, "y_um": (y + 0.5) * spot_um, "array_x": x.astype(float)}
    ids = pd.Index([f"x{i:05d}_y{j:05d}" for i, j in zip(x, y, strict=True)], dtype=object)
    frame = pd.DataFrame({**table, "array_y": y.astype(float), "n_cells": cells}, index=ids)
    coverage = square_coverage(xy_um, np.column_stack([x, y]), cells, spot_um)
    if coverage is not None:
        frame["tissue_coverage"] = coverage
    return CellSpots(frame, spot_of_cell.astype(np.int32), spot_um, "square", spot_um)


def single_cell_spots(
    xy_um: NDArray[np.float64], ids: NDArray[np.bytes_], areas: NDArray[np.float64] | None
) -> CellSpots:
    """Return one spot per cell, all with the diameter of a disc of the median cell's area."""
    table = pd.DataFrame({"x_um": xy_um[:, 0], "y_um": xy_um[:, 1]}, index=pd.Index(ids.astype(str), dtype=object))
    diameter, notes = _median_diameter(areas)
    return CellSpots(table, np.arange(len(ids), dtype=np.int32), diameter, "disc", estimate_pitch(xy_um), notes)


def _median_diameter(areas: NDArray[Any] | None) -> tuple[float, tuple[str, ...]]:
    positive = areas[areas > 0] if areas is not None else np.empty(0)
    if len(positive):
        return float(2 * np.sqrt(np.median(positive) / np.pi)), ()
    return DEFAULT_CELL_UM, (f"the cell table has no areas: cells are assumed to be {DEFAULT_CELL_UM:g} um wide",)
