"""Count the genes of a Xenium section spot by spot, and what the panel's controls caught.

Controls (negative probes and codewords, blank, unassigned, deprecated, genomic ones) are no genes; their share of all
counts tells how well a section was decoded.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import anndata as ad
import numpy as np

from spacrd_core.section.section import Units
from spacrd_readers.tenx.genes import Genes, choose_genes
from spacrd_readers.tenx.matrix import open_matrix
from spacrd_readers.tenx.sums import sum_counts
from spacrd_readers.xenium.join import join_cells

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from spacrd_readers.tenx.blocks import TenxMatrix
    from spacrd_readers.tenx.cell_spots import Spots
    from spacrd_readers.xenium.cells import Cells

NEITHER = r"(?i)protein|antibody|aggregate"  # kinds of feature that are no controls either


@dataclass(frozen=True, eq=False)
class Counted:
    """The spots of a section and their counts; ``obs`` holds the spots' table and ``control_counts``."""

    counts: ad.AnnData
    spots: Spots
    units: Units | None
    notes: tuple[str, ...]


def count_spots(cells: Cells, path: Path, lay_out: Callable[[Cells], Spots]) -> Counted:
    """Return the counts of the matrix at a path in the spots that its cells make.

    Raises
    ------
    CountsError
        If it is no matrix of raw counts, or not one of these cells.
    """
    with open_matrix(path) as matrix:
        genes = choose_genes(matrix.features, "", path)
        cell_of, left_out = join_cells(cells, matrix.barcodes, path)
        cells = cells.take(cell_of[cell_of >= 0])
        spots = lay_out(cells)
        groups = np.full(len(cell_of), -1, dtype=np.int32)
        groups[cell_of >= 0] = spots.of_cell
        summed = sum_counts(matrix, groups, len(spots.table), genes)
        controls = _controls(cells, spots, matrix, groups, genes)
    obs = spots.table.assign(control_counts=controls)
    share = _share(int(controls.sum()), int(summed.data.sum(dtype=np.int64)))
    units = Units("cell", cells.ids, spots.of_cell) if "n_cells" in obs else None
    notes = (*left_out, *genes.notes, *share, *spots.notes)
    return Counted(ad.AnnData(summed, obs=obs, var=genes.var), spots, units, notes)


def _controls(
    cells: Cells, spots: Spots, matrix: TenxMatrix, groups: NDArray[np.int32], genes: Genes
) -> NDArray[np.int64]:
    """Return the control counts of every spot, by the table of cells, or else by the matrix in a pass of its own."""
    if cells.controls is not None:
        return spots.sums(cells.controls)
    kinds = matrix.features["kind"]
    keep = ~genes.keep & ~kinds.str.contains(NEITHER).to_numpy()
    wanted = replace(genes, keep=keep, var=matrix.features[keep])
    return np.asarray(sum_counts(matrix, groups, len(spots.table), wanted).sum(axis=1)).ravel().astype(np.int64)


def _share(controls: int, counted: int) -> tuple[str, ...]:
    if not controls:
        return ()
    return (
        f"counts of controls, left out: {controls} of {controls + counted} ({controls / (controls + counted):.2%})",
    )
