"""Count the cells of a bundle on a grid in um."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from spacrd_core.errors import GeometryError

if TYPE_CHECKING:
    from spacrd_core.arrays import Array

BIN_UM = 8.0
MAX_BINS = 2**26  # a whole slide of 75 x 25 mm has 30 million
COPY_AGAIN = "copy the table of cells again from the bundle"
MARGIN_UM = 40.0  # around the cells: the instrument looked there, too


@dataclass(frozen=True, eq=False)
class CellDensity:
    """Cells per bin (rows x columns) of ``bin_um``; the top left corner is at ``corner_um`` (x, y)."""

    counts: Array
    corner_um: Array
    bin_um: float

    @property
    def box_um(self) -> tuple[Array, Array]:
        """The top left and the bottom right corner (x, y) of the grid."""
        return self.corner_um, self.corner_um + np.array(self.counts.shape[::-1]) * self.bin_um

    @property
    def corners_um(self) -> Array:
        """The four corners of the grid, 4 x 2."""
        (left, top), (right, bottom) = self.box_um
        return np.array([[left, top], [right, top], [right, bottom], [left, bottom]])

    def smoothed(self, sigma_um: float) -> Array:
        """Return the counts smoothed by a Gaussian."""
        sigma = sigma_um / self.bin_um
        return np.asarray(ndimage.gaussian_filter(self.counts, sigma, mode="nearest", truncate=3.0))

    def centres_um(self, bins: Array) -> Array:
        """Return the centres (n x 2) of bins, which are given by their flat indices."""
        rows, columns = np.divmod(bins, self.counts.shape[1])
        return self.corner_um + (np.column_stack([columns, rows]) + 0.5) * self.bin_um


def count_cells(xy_um: Array, bin_um: float = BIN_UM) -> CellDensity:
    """Return the density of cells (n x 2, um).

    Raises
    ------
    GeometryError
        If some are further apart than on any slide.
    """
    corner = xy_um.min(axis=0) - MARGIN_UM
    size = np.ceil((np.ptp(xy_um, axis=0) + 2 * MARGIN_UM) / bin_um)
    if size.prod() > MAX_BINS:
        across, down = np.ptp(xy_um, axis=0)
        raise GeometryError(
            f"the cells are spread over {across:.3g} x {down:.3g} um, which is more than a slide", hint=COPY_AGAIN
        )
    counts = bin_points((xy_um - corner) / bin_um, size)
    return CellDensity(counts, corner, bin_um)


def bin_points(points: Array, size: Array) -> Array:
    """Return the number of points (x, y) in each unit square of a grid of ``size`` (columns, rows)."""
    columns, rows = (int(length) for length in size)
    flat = points[:, 1].astype(int) * columns + points[:, 0].astype(int)
    return np.bincount(flat, minlength=rows * columns).reshape(rows, columns).astype(np.float32)
