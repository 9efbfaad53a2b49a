"""Sum a matrix's barcodes into spots, block by block: a barcode a spot (Visium), or many (bins, cells).

Memory is that of the sums: each block is summed for itself, and in the end the blocks' sums are merged row by row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from spacrd_core.counts import require_counts
from spacrd_readers._tenx_blocks import Block

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spacrd_readers._tenx_blocks import TenxMatrix
    from spacrd_readers._tenx_genes import Genes


def sum_counts(matrix: TenxMatrix, groups: NDArray[np.int32], spots: int, genes: Genes) -> sparse.csr_matrix[Any]:
    """Return counts, spots x genes, int32: ``groups`` says for every barcode the spot it belongs to, or -1 for none.

    Raises
    ------
    CountsError
        If the matrix holds something else than raw counts of its genes.
    """
    columns = np.where(genes.keep, np.cumsum(genes.keep) - 1, -1)
    sums = []
    for block in (_of_genes(block, genes.keep) for block in matrix.blocks()):
        require_counts(block.values, matrix.path, lambda at, block=block: _place(matrix, block, at))  # type: ignore[misc]
        sums.append(_summed(groups[block.barcodes], columns[block.features], block.values, (spots, len(genes.var))))
    return _merged(sums, (spots, len(genes.var)))


def _of_genes(block: Block, keep: NDArray[np.bool_]) -> Block:
    """Leave other features out before counts are asked for: proteins are measured as intensities."""
    if keep.all():
        return block
    wanted = keep[block.features]
    return Block(block.barcodes[wanted], block.features[wanted], block.values[wanted])


def _place(matrix: TenxMatrix, block: Block, at: int) -> tuple[str, str]:
    return matrix.barcodes[block.barcodes[at]].decode(), str(matrix.features["symbol"].iloc[block.features[at]])


def _summed(
    rows: NDArray[Any], columns: NDArray[Any], values: NDArray[Any], shape: tuple[int, int]
) -> sparse.csr_matrix[Any]:
    wanted = (rows >= 0) & (columns >= 0)
    if not wanted.all():
        rows, columns, values = rows[wanted], columns[wanted], values[wanted]
    triples = (values.astype(np.int32), (rows.astype(np.int32), columns.astype(np.int32)))
    return sparse.csr_matrix(sparse.coo_matrix(triples, shape=shape))


def _merged(parts: list[sparse.csr_matrix[Any]], shape: tuple[int, int]) -> sparse.csr_matrix[Any]:
    """Return the sum of parts, which are given up one by one as they are taken in."""
    if not parts:
        return sparse.csr_matrix(shape, dtype=np.int32)
    lengths = np.zeros(shape[0], dtype=np.int64)
    for part in parts:
        lengths += np.diff(part.indptr)
    indptr = np.concatenate([[0], np.cumsum(lengths)])
    data, indices = np.empty(indptr[-1], dtype=np.int32), np.empty(indptr[-1], dtype=np.int32)
    free = indptr[:-1].copy()
    parts.reverse()
    while parts:
        part = parts.pop()
        counts = np.diff(part.indptr)
        places = np.arange(part.nnz) + np.repeat(free - part.indptr[:-1], counts)
        data[places], indices[places] = part.data, part.indices
        free += counts
    total = sparse.csr_matrix((data, indices, indptr), shape=shape)
    total.sum_duplicates()
    return total
