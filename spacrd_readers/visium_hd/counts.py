"""Sum the bins or cells of a matrix into spots."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import anndata as ad

from spacrd_core.section.section import SubSpots
from spacrd_readers.tenx.genes import genes_of
from spacrd_readers.tenx.matrix import open_matrix
from spacrd_readers.tenx.sums import sum_counts

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import Literal

    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from spacrd_readers.visium_hd.spatial import SpatialFolder

    Assign = Callable[[NDArray[np.bytes_]], "SpotAssignment"]


@dataclass(frozen=True, eq=False)
class SpotAssignment:
    """The spot index of every barcode (-1 for none), and one row per spot, by id: ``x_px``, ``y_px`` and more."""

    spots: NDArray[np.int32]
    table: pd.DataFrame
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class SpotCounts:
    """The spots of a section with their counts, and their sources.

    ``files`` are (role, path); ``spatial`` are the folders that may hold its previews, in order of preference.
    """

    counts: ad.AnnData
    sub_spots: SubSpots
    um_per_px: float
    files: tuple[tuple[str, Path], ...]
    spatial: tuple[SpatialFolder, ...]
    notes: tuple[str, ...]


def sum_matrix(
    path: Path, genome: str, kind: Literal["bin", "cell"], assign: Assign
) -> tuple[ad.AnnData, SubSpots, tuple[str, ...]]:
    """Return the counts of the spots to which ``assign`` maps a matrix's barcodes, those sub-spots, and notes.

    Raises
    ------
    CountsError
        If it is not a matrix of raw gene counts, or its barcodes are not of the expected kind.
    """
    with open_matrix(path) as matrix:
        assigned = assign(matrix.barcodes)
        genes = genes_of(matrix, genome)
        sums = sum_counts(matrix, assigned.spots, len(assigned.table), genes)
        sub_spots = SubSpots(kind, matrix.barcodes, assigned.spots)
    return ad.AnnData(sums, obs=assigned.table, var=genes.var), sub_spots, (*assigned.notes, *genes.notes)
