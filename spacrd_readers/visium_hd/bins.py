"""Sum bins of Visium HD into square spots.

A bin is in tissue if one of its 2 um squares is, and it has the counts of all its squares. A filtered 2 um matrix omits
squares out of tissue, so spots along the edge of the tissue get fewer counts from it than from 8 um bins.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from spacrd_core.errors import CountsError
from spacrd_readers._base import MAX_UNMATCHED
from spacrd_readers.visium_hd.counts import SpotAssignment, SpotCounts, sum_matrix
from spacrd_readers.visium_hd.names import parse_bins

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spacrd_core.section.section import ImageInputs
    from spacrd_readers.visium_hd.bin_level import BinLevel
    from spacrd_readers.visium_hd.grid import Squares
    from spacrd_readers.visium_hd.names import Bins

SAME_SECTION_HINT = "give the matrix and the positions of one section, unchanged from the run"


def count_bins(level: BinLevel, squares: Squares, inputs: ImageInputs, genome: str) -> SpotCounts:
    """Return the squares of an array with the counts of their bins.

    Raises
    ------
    CountsError
        If the matrix is broken, or of other bins than the positions.
    """
    um_per_px, scale_notes = level.um_per_px(inputs)
    assign = partial(_assign_bins, level=level, squares=squares)
    counts, sub_spots, count_notes = sum_matrix(level.matrix, genome, "bin", assign)
    return SpotCounts(
        counts=counts,
        sub_spots=sub_spots,
        um_per_px=um_per_px,
        files=(("counts", level.matrix), ("positions", level.positions)),
        spatial=level.spatial,
        notes=(*scale_notes, *squares.notes, *count_notes),
    )


def _assign_bins(names: NDArray[np.bytes_], *, level: BinLevel, squares: Squares) -> SpotAssignment:
    bins = parse_bins(names, level.matrix)
    if bins.um != level.bin_um:
        raise CountsError(f"{level.matrix} has bins of {bins.um} um, not of {level.bin_um} um", hint=SAME_SECTION_HINT)
    in_tissue = _in_tissue(bins, level)
    spots = np.full(len(names), -1, dtype=np.int32)
    spots[in_tissue] = squares.spot_of(bins.rows[in_tissue], bins.columns[in_tissue])
    px = level.array.to_px.apply(squares.centres)
    table = squares.table.assign(x_px=px[:, 0], y_px=px[:, 1])
    return SpotAssignment(spots, table, _left_out(names, ~in_tissue, level))


def _in_tissue(bins: Bins, level: BinLevel) -> NDArray[np.bool_]:
    """Return which bins of the matrix are in tissue."""
    array = level.array.in_tissue
    mask: NDArray[np.bool_] = (bins.rows < array.shape[0]) & (bins.columns < array.shape[1])
    mask[mask] = array[bins.rows[mask], bins.columns[mask]]
    distinct = np.zeros_like(array)
    distinct[bins.rows[mask], bins.columns[mask]] = True
    if distinct.sum() < mask.sum():
        raise CountsError(f"{level.matrix} names a bin more than once", hint="give the matrix of one section")
    # With the right positions, every bin of a filtered matrix is in tissue.
    if not mask.any() or (not level.raw and mask.mean() < 1 - MAX_UNMATCHED):
        raise CountsError(
            f"{level.matrix} and {level.positions} are from different sections: {(~mask).sum()} of {len(mask)} bins "
            "with counts are not in tissue",
            hint=SAME_SECTION_HINT,
        )
    return mask


def _left_out(names: NDArray[np.bytes_], outside: NDArray[np.bool_], level: BinLevel) -> tuple[str, ...]:
    if level.raw:
        note = f"no filtered matrix was found; bins of {level.matrix.name} out of tissue, left out: {outside.sum()}"
        return (note,)
    if not outside.any():
        return ()
    example = f"{names[outside][0].decode(errors='replace')}, ..."
    return (f"bins of {level.matrix.name} that are not in tissue, left out: {outside.sum()} ({example})",)
