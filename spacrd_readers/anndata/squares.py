"""Sum cells, beads and bins of an AnnData file into squares that are wide enough to be called."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import anndata as ad
import numpy as np
from scipy import sparse

from spacrd_core.opening.names import as_bytes
from spacrd_core.section.section import SubSpots
from spacrd_readers.tenx.cell_spots import square_spots

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spacrd_core.section.section import Section
    from spacrd_readers.anndata.scale import Scale

MAX_PIECE_PITCH_UM = 40.0  # spots closer than this are cells, beads or bins: a patch of 100 um holds many of them
SQUARE_UM = 100.0  # as of the reader xenium
TIGHT_NOTE = (
    "spots are {:.3g} um apart, so each is called from few counts; --set reader.unit=spot sums cells, beads or bins "
    f"into squares of {SQUARE_UM:g} um"
)


def is_tight(scale: Scale) -> bool:
    """Return whether spots are as close as cells, beads or bins are."""
    return scale.pitch_um < MAX_PIECE_PITCH_UM


def tight_notes(scale: Scale, unit: str | None) -> tuple[str, ...]:
    """Return the advice to sum spots that are close, unless the user has chosen."""
    return (TIGHT_NOTE.format(scale.pitch_um),) if is_tight(scale) and unit is None else ()


def sum_into_squares(section: Section, spot_um: float | None) -> Section:
    """Return a section whose spots are squares (100 um wide by default) with the sums of the spots in them."""
    obs, scale = section.counts.obs, section.um_per_px
    squares = square_spots(obs[["x_um", "y_um"]].to_numpy(dtype=np.float64), spot_um or SQUARE_UM)
    matrix = sum_rows(section.counts.X, squares.spot_of_cell, len(squares.table))
    table = squares.table.assign(x_px=squares.table["x_um"] / scale, y_px=squares.table["y_um"] / scale)
    note = f"spots {section.pitch_um:.3g} um apart were summed into squares of {squares.spot_um:g} um"
    return replace(
        section,
        counts=ad.AnnData(matrix, obs=table, var=section.counts.var),
        spot_um=squares.spot_um,
        spot_shape=squares.shape,
        pitch_um=squares.pitch_um,
        sub_spots=SubSpots("cell", as_bytes(obs.index, section.sources[0].path), squares.spot_of_cell),
        notes=(*section.notes, note),
    )


def sum_rows(matrix: sparse.csr_matrix[Any], group_of_row: NDArray[np.int32], count: int) -> sparse.csr_matrix[Any]:
    """Return a matrix with the sums of the rows of each of ``count`` groups; rows of group -1 are left out."""
    kept = np.flatnonzero(group_of_row >= 0)
    ones = np.ones(len(kept), dtype=np.int32)
    members = sparse.csr_matrix((ones, (group_of_row[kept], kept)), shape=(count, len(group_of_row)))
    return sparse.csr_matrix(members @ matrix)
