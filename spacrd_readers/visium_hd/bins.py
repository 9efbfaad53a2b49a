"""Spots of Visium HD that are squares of bins.

A bin is in tissue if one of its 2 um squares is, and its counts are those of all its squares. Squares out of tissue are
not in a filtered matrix of 2 um, so that along the edge of tissue it gives spots fewer counts than bins of 8 um do.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from spacrd_core.errors import CountsError
from spacrd_readers.visium_hd.counts import Assigned, Counted, sum_matrix
from spacrd_readers.visium_hd.names import parse_bins

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spacrd_core.section.section import Given
    from spacrd_readers.visium_hd.bin_level import Level
    from spacrd_readers.visium_hd.grid import Squares
    from spacrd_readers.visium_hd.names import Bins

STRANGERS = 0.1  # every bin of a filtered matrix is in tissue, if the positions are its own
TOGETHER = "give the matrix and the positions of one section, as they came from the run"


def count_bins(level: Level, squares: Squares, given: Given, genome: str) -> Counted:
    """Return the squares of an array with the counts of their bins.

    Raises
    ------
    CountsError
        If the matrix is broken, or of other bins than the positions.
    """
    um_per_px, of_scale = level.um_per_px(given)
    assign = partial(_assigned, level=level, squares=squares)
    counts, units, of_counts = sum_matrix(level.matrix, genome, "bin", assign)
    return Counted(
        counts=counts,
        units=units,
        um_per_px=um_per_px,
        files=(("counts", level.matrix), ("positions", level.positions)),
        spatial=level.spatial,
        notes=(*of_scale, *squares.notes, *of_counts),
    )


def _assigned(names: NDArray[np.bytes_], *, level: Level, squares: Squares) -> Assigned:
    bins = parse_bins(names, level.matrix)
    if bins.um != level.bin_um:
        raise CountsError(f"{level.matrix} is of bins of {bins.um} um, not of {level.bin_um} um", hint=TOGETHER)
    in_tissue = _in_tissue(bins, level)
    spots = np.full(len(names), -1, dtype=np.int32)
    spots[in_tissue] = squares.spot_of(bins.rows[in_tissue], bins.columns[in_tissue])
    px = level.array.to_px.apply(squares.centres)
    table = squares.table.assign(x_px=px[:, 0], y_px=px[:, 1])
    return Assigned(spots, table, _left_out(names, ~in_tissue, level))


def _in_tissue(bins: Bins, level: Level) -> NDArray[np.bool_]:
    """Return which bins of the matrix are in tissue."""
    array = level.array.in_tissue
    found: NDArray[np.bool_] = (bins.rows < array.shape[0]) & (bins.columns < array.shape[1])
    found[found] = array[bins.rows[found], bins.columns[found]]
    once = np.zeros_like(array)
    once[bins.rows[found], bins.columns[found]] = True
    if once.sum() < found.sum():
        raise CountsError(f"{level.matrix} names a bin more than once", hint="give the matrix of one section")
    if not found.any() or (not level.raw and found.mean() < 1 - STRANGERS):
        raise CountsError(
            f"{level.matrix} and {level.positions} are not of one section: {(~found).sum()} of {len(found)} bins with "
            "counts are not in tissue",
            hint=TOGETHER,
        )
    return found


def _left_out(names: NDArray[np.bytes_], outside: NDArray[np.bool_], level: Level) -> tuple[str, ...]:
    if level.raw:
        return (f"no filtered matrix was found: bins of {level.matrix.name} out of tissue, left out: {outside.sum()}",)
    if not outside.any():
        return ()
    some = f"{names[outside][0].decode(errors='replace')}, ..."
    return (f"bins of {level.matrix.name} that are not in tissue, left out: {outside.sum()} ({some})",)
