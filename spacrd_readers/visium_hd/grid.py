"""Squares of bins: k x k of an array are one spot, by integer division of their rows and columns."""

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
        A row a spot, by id: ``array_x``, ``array_y`` (column and row of the squares), ``n_bins`` in tissue, and the
        share of it in tissue, ``tissue_coverage``.
    index
        The spot of every square, by its row and column; -1 where it is none.
    """

    side: int
    table: pd.DataFrame
    index: NDArray[np.int32]
    notes: tuple[str, ...] = ()

    @property
    def centres(self) -> NDArray[np.float64]:
        """The middles of the spots as (column, row) of the array of bins."""
        return np.asarray(self.table[["array_x", "array_y"]]) * self.side + (self.side - 1) / 2

    def spot_of(self, rows: NDArray[np.int32], columns: NDArray[np.int32]) -> NDArray[np.int32]:
        """Return the spot of bins of the array; -1 for those of none."""
        return self.index[rows // self.side, columns // self.side]


def bins_a_side(spot_um: int, bin_um: int) -> int:
    """Return how many bins make the side of a spot.

    Raises
    ------
    ConfigError
        If no whole number does.
    """
    if spot_um % bin_um == 0:
        return spot_um // bin_um
    below = spot_um // bin_um * bin_um
    near = [um for um in (below, below + bin_um) if um]
    raise ConfigError(
        f"bins of {bin_um} um do not fill spots of {spot_um} um; the nearest they fill: "
        f"{' and '.join(map(str, near))} um",
        hint=f"--set reader.spot_um={min(near, key=lambda um: abs(um - spot_um))}",
    )


def make_squares(in_tissue: NDArray[np.bool_], side: int, *, spot_um: int, min_coverage: float) -> Squares:
    """Return the squares of an array (rows x columns) of which at least ``min_coverage`` is in tissue.

    Raises
    ------
    GeometryError
        If there are none.
    """
    counts = _counted(in_tissue, side)
    share = counts / side**2
    good = (counts > 0) & (share >= min_coverage)
    rows, columns = good.nonzero()
    if not len(rows):
        raise GeometryError(
            f"no spot of {spot_um} um has {min_coverage:.0%} of its bins in tissue; the most is {share.max():.0%}",
            hint="--set reader.min_coverage=X, from 0 to 1",
        )
    index = np.full(counts.shape, -1, dtype=np.int32)
    index[rows, columns] = np.arange(len(rows))
    ids = [f"s_{spot_um:03d}um_{row:05d}_{column:05d}" for row, column in zip(rows, columns, strict=True)]
    table = {"array_x": columns.astype(float), "array_y": rows.astype(float)}
    table |= {"n_bins": counts[good], "tissue_coverage": share[good]}
    frame = pd.DataFrame(table, index=pd.Index(ids, dtype=object))
    return Squares(side, frame, index, _left_out((counts > 0) & ~good, counts, min_coverage))


def _counted(in_tissue: NDArray[np.bool_], side: int) -> NDArray[np.int64]:
    """Return how many bins of every square are in tissue."""
    by_row = np.add.reduceat(in_tissue, np.arange(0, in_tissue.shape[0], side), axis=0, dtype=np.int64)
    return np.asarray(np.add.reduceat(by_row, np.arange(0, in_tissue.shape[1], side), axis=1))


def _left_out(sparse: NDArray[np.bool_], counts: NDArray[np.int64], min_coverage: float) -> tuple[str, ...]:
    if not sparse.any():
        return ()
    lost = counts[sparse].sum() / counts.sum()
    note = f"spots with less than {min_coverage:.0%} of their bins in tissue, left out: {sparse.sum()}"
    return (f"{note} ({lost:.1%} of all bins in tissue)",)
