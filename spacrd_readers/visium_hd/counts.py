"""Sum the bins or cells of a matrix into the spots they belong to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import anndata as ad

from spacrd_core.section.section import Units
from spacrd_readers.tenx.genes import choose_genes
from spacrd_readers.tenx.matrix import open_matrix
from spacrd_readers.tenx.sums import sum_counts

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import Literal

    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from spacrd_readers.visium_hd.spatial import Spatial

    Assign = Callable[[NDArray[np.bytes_]], "Assigned"]


@dataclass(frozen=True, eq=False)
class Assigned:
    """Which spot every barcode belongs to (-1 for none), and a row a spot, by id: ``x_px``, ``y_px`` and more."""

    spots: NDArray[np.int32]
    table: pd.DataFrame
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Counted:
    """The spots of a section with their counts, and what they were read from.

    ``files`` are (role, path); ``spatial`` are the folders that may hold its pictures, the best first.
    """

    counts: ad.AnnData
    units: Units
    um_per_px: float
    files: tuple[tuple[str, Path], ...]
    spatial: tuple[Spatial, ...]
    notes: tuple[str, ...]


def sum_matrix(
    path: Path, genome: str, kind: Literal["bin", "cell"], assign: Assign
) -> tuple[ad.AnnData, Units, tuple[str, ...]]:
    """Return the counts of the spots that ``assign`` gives a matrix's barcodes, and what they were summed from.

    Raises
    ------
    CountsError
        If it is no matrix of raw counts of genes, or not of bins or cells as wanted.
    """
    with open_matrix(path) as matrix:
        assigned = assign(matrix.barcodes)
        genes = choose_genes(matrix.features, genome, path)
        sums = sum_counts(matrix, assigned.spots, len(assigned.table), genes)
        units = Units(kind, matrix.barcodes, assigned.spots)
    return ad.AnnData(sums, obs=assigned.table, var=genes.var), units, (*assigned.notes, *genes.notes)
