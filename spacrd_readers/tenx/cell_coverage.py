"""How much of a square of cells is on tissue: at the edge of a section, squares are only half on it.

Tissue is where cells are. Gaps between cells that are narrower than 100 um, or than a spot, belong to it; wider ones
are lumens, tears or glass.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import distance_transform_edt

if TYPE_CHECKING:
    from numpy.typing import NDArray

STEP_UM = 10.0  # about the width of a cell
MIN_GAP_UM = 100.0  # fat cells are narrower
MAX_STEPS = 20_000_000  # a section of 40 x 50 mm


def square_coverage(
    xy_um: NDArray[np.float64], squares: NDArray[np.int64], cells: NDArray[np.int64], spot_um: float
) -> NDArray[np.float64] | None:
    """Return the share of each square that is on tissue, by the centroids of all cells of the section (n x 2, um).

    Tissue goes on beyond the outermost cells for half the usual distance between cells.

    ``squares`` are columns and rows of a grid of ``spot_um`` from (0, 0), ``cells`` their numbers of cells. None if the
    cells are too far apart for one piece of glass.
    """
    steps = max(1, round(spot_um / STEP_UM))  # along a side of a square
    step_um, gap_um = spot_um / steps, max(MIN_GAP_UM, spot_um) / 2
    beyond_um = min(spot_um / np.sqrt(np.median(cells)) / 2, gap_um)
    margin = int(np.ceil((gap_um + beyond_um) / spot_um)) + 1  # squares around the outermost cells
    corner = squares.min(axis=0) - margin
    width, height = (squares.max(axis=0) + margin + 1 - corner) * steps
    if width * height > MAX_STEPS:
        return None
    empty = np.ones((height, width), dtype=bool)
    columns, rows = np.floor(xy_um / step_um).astype(np.int64).T - (corner * steps)[:, None]
    empty[rows.clip(0, height - 1), columns.clip(0, width - 1)] = False
    outside = distance_transform_edt(empty, sampling=step_um) > gap_um + beyond_um
    tissue = distance_transform_edt(~outside, sampling=step_um) > gap_um
    shares = tissue.reshape(height // steps, steps, width // steps, steps).mean(axis=(1, 3))
    column, row = (squares - corner).T
    return np.asarray(shares[row, column], dtype=np.float64)
