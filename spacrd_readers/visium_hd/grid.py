"""Squares of k x k bins as spots, by integer division of array rows and columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from spacrd_core.errors import ConfigError, GeometryError

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Squares:
    """The spots of a section.

    Attributes
    ----------
    side
        Bins along a side of a spot.
    table
        One row per spot, by id: ``array_x``, ``array_y`` (column and row of the square), ``n_bins`` (its bins in
        tissue) and ``tissue_coverage`` (its share in tissue).
    index
        The spot index of each square, by row and column; -1 if it is not a spot.
    """

    side: int
    table: pd.DataFrame
    index: NDArray[np.int32]
    notes: tuple[str, ...] = ()

    @property
    def centres(self) -> NDArray[np.float64]:
        """The centres of the spots as (column, row) of the bin array."""
        return np.asarray(self.table[["array_x", "array_y"]]) * self.side + (self.side - 1) / 2

    def spot_of(self, rows: NDArray[np.int32], columns: NDArray[np.int32]) -> NDArray[np.int32]:
        """Return the spot index of each bin; -1 for none."""
        return self.index[rows // self.side, columns // self.side]


def bins_per_side(spot_um: int, bin_um: int) -> int:
    """Return the number of bins along the side of a spot.

    Raises
    ------
    ConfigError
        If it is not a whole number.
    """
    if spot_um % bin_um == 0:
        return spot_um // bin_um
    below = spot_um // bin_um * bin_um
    multiples = [um for um in (below, below + bin_um) if um]
    raise ConfigError(
        f"spots of {spot_um} um are not a multiple of the {bin_um} um bins; the nearest multiples: "
        f"{' and '.join(map(str, multiples))} um",
        hint=f"use --set reader.spot_um={min(multiples, key=lambda um: abs(um - spot_um))}",
    )


def make_squares(in_tissue: NDArray[np.bool_], side: int, *, spot_um: int, min_coverage: float) -> Squares:
    """Return the squares of an array (rows x columns) with at least a share ``min_coverage`` in tissue.

    Raises
    ------
    GeometryError
        If there are none.
    """
    counts = _count_bins(in_tissue, side)
    share = counts / side**2
    mask = (counts > 0) & (share >= min_coverage)
    rows, columns = mask.nonzero()
    if not len(rows):
        raise GeometryError(
            f"no spot of {spot_um} um has {min_coverage:.0%} of its bins in tissue; the highest is {share.max():.0%}",
            hint="use --set reader.min_coverage=X, from 0 to 1",
        )
    index = np.full(counts.shape, -1, dtype=np.int32)
    index[rows, columns] = np.arange(len(rows))
    ids = [f"s_{spot_um:03d}um_{row:05d}_{column:05d}" for row, column in zip(rows, columns, strict=True)]
    table = {"array_x": columns.astype(float), "array_y": rows.astype(float)}
    table |= {"n_bins": counts[mask], "tissue_coverage": share[mask]}
    frame = pd.DataFrame(table, index=pd.Index(ids, dtype=object))
    return Squares(side, frame, index, _left_out((counts > 0) & ~mask, counts, min_coverage))


def _count_bins(in_tissue: NDArray[np.bool_], side: int) -> NDArray[np.int64]:
    """Return the number of bins in tissue of each square."""
    by_row = np.add.reduceat(in_tissue, np.arange(0, in_tissue.shape[0], side), axis=0, dtype=np.int64)
    return np.asarray(np.add.reduceat(by_row, np.arange(0, in_tissue.shape[1], side), axis=1))


def _left_out(sparse: NDArray[np.bool_], counts: NDArray[np.int64], min_coverage: float) -> tuple[str, ...]:
    if not sparse.any():
        return ()
    share = counts[sparse].sum() / counts.sum()
    note = f"spots with less than {min_coverage:.0%} of their bins in tissue, left out: {sparse.sum()}"
    return (f"{note} ({share:.1%} of all bins in tissue)",)
