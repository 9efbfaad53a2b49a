"""Sum the genes of a Xenium section per spot, and the counts of the panel's controls.

Controls (negative probes and codewords; blank, unassigned, deprecated and genomic controls) are not genes; their share
of all counts measures the decoding quality of a section.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import anndata as ad
import numpy as np

from spacrd_core.section.section import SubSpots
from spacrd_readers.tenx.genes import Genes, genes_of
from spacrd_readers.tenx.matrix import open_matrix
from spacrd_readers.tenx.sums import sum_counts
from spacrd_readers.xenium.join import join_cells

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from spacrd_readers.tenx.blocks import TenxMatrix
    from spacrd_readers.tenx.cell_spots import CellSpots
    from spacrd_readers.xenium.cells import Cells

NOT_CONTROL_KINDS = r"(?i)protein|antibody|aggregate"  # feature kinds that are neither genes nor controls


@dataclass(frozen=True, eq=False)
class SpotCounts:
    """The spots of a section and their counts; ``obs`` holds the spot table and ``control_counts``."""

    counts: ad.AnnData
    spots: CellSpots
    sub_spots: SubSpots | None
    notes: tuple[str, ...]


def count_spots(cells: Cells, path: Path, make_spots: Callable[[Cells], CellSpots]) -> SpotCounts:
    """Return the counts of the matrix at a path, summed into the spots made from its cells.

    Raises
    ------
    CountsError
        If it is not a matrix of raw counts, or is of other cells.
    """
    with open_matrix(path) as matrix:
        genes = genes_of(matrix, "")
        cell_of, left_out = join_cells(cells, matrix.barcodes, path)
        cells = cells.take(cell_of[cell_of >= 0])
        spots = make_spots(cells)
        groups = np.full(len(cell_of), -1, dtype=np.int32)
        groups[cell_of >= 0] = spots.spot_of_cell
        summed = sum_counts(matrix, groups, len(spots.table), genes)
        controls = _controls(cells, spots, matrix, groups, genes)
    obs = spots.table.assign(control_counts=controls)
    share = _control_note(int(controls.sum()), int(summed.data.sum(dtype=np.int64)))
    sub_spots = SubSpots("cell", cells.ids, spots.spot_of_cell) if "n_cells" in obs else None
    notes = (*left_out, *genes.notes, *share, *spots.notes)
    return SpotCounts(ad.AnnData(summed, obs=obs, var=genes.var), spots, sub_spots, notes)


def _controls(
    cells: Cells, spots: CellSpots, matrix: TenxMatrix, groups: NDArray[np.int32], genes: Genes
) -> NDArray[np.int64]:
    """Return the control counts of every spot from the cell table, or else from the matrix in a second pass."""
    if cells.controls is not None:
        return spots.sums(cells.controls)
    kinds = matrix.features["kind"]
    keep = ~genes.keep & ~kinds.str.contains(NOT_CONTROL_KINDS).to_numpy()
    controls = replace(genes, keep=keep, var=matrix.features[keep])
    return np.asarray(sum_counts(matrix, groups, len(spots.table), controls).sum(axis=1)).ravel().astype(np.int64)


def _control_note(controls: int, genes: int) -> tuple[str, ...]:
    if not controls:
        return ()
    total = controls + genes
    return (f"counts of controls, left out: {controls} of {total} ({controls / total:.2%})",)
