"""Read the raw counts of a table, summed into spots."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from spacrd_readers.anndata.counts import read_counts
from spacrd_readers.anndata.genes import read_features, read_genes
from spacrd_readers.anndata.squares import sum_rows
from spacrd_readers.anndata.stored_section import stored_genes

if TYPE_CHECKING:
    import pandas as pd
    from scipy import sparse

    from spacrd_readers.anndata.file import AnnDataFile
    from spacrd_readers.spatialdata.pieces import Pieces
    from spacrd_readers.spatialdata.spots import SpotGroups


@dataclass(frozen=True, eq=False)
class SpotCounts:
    """Counts, spots x genes, and the genes (``symbol``, ``gene_id``)."""

    matrix: sparse.csr_matrix[Any]
    var: pd.DataFrame
    notes: tuple[str, ...]


def count_spots(
    file: AnnDataFile, pieces: Pieces, spots: SpotGroups, *, rows: int, layer: str, stored: bool
) -> SpotCounts:
    """Return the counts of the spots; the table has ``rows`` rows, ``layer`` names a matrix of it ('' to find one).

    Raises
    ------
    CountsError
        If no matrix holds raw counts.
    """
    key, matrix, notes = read_counts(file, pieces.rows, spots=rows, layer=layer)
    genes = (stored_genes if stored else read_genes)(read_features(file, key, matrix.shape[1]), file.path)
    if not genes.keep.all():
        matrix = matrix[:, genes.keep]
    return SpotCounts(_sums(matrix, spots), genes.var, (*notes, *genes.notes))


def _sums(matrix: sparse.csr_matrix[Any], spots: SpotGroups) -> sparse.csr_matrix[Any]:
    of_piece = spots.spot_of_piece
    if len(of_piece) == len(spots.table) and (of_piece == np.arange(len(of_piece))).all():
        return matrix
    return sum_rows(matrix, of_piece, len(spots.table))
