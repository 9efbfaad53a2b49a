"""Sum a matrix's barcodes into spots, block by block: a barcode a spot (Visium), or many (bins, cells).

Memory is a few times that of the result, however large the matrix: the sums of blocks are added up pair by pair, as
soon as two are of one size. Files list bins in any order, so that every block has a part in every spot.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from spacrd_core.errors import CountsError
from spacrd_core.section.counts import require_counts
from spacrd_readers.tenx.blocks import Block

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spacrd_readers.tenx.blocks import TenxMatrix
    from spacrd_readers.tenx.genes import Genes


def sum_counts(matrix: TenxMatrix, groups: NDArray[np.int32], spots: int, genes: Genes) -> sparse.csr_matrix[Any]:
    """Return counts, spots x genes, int32: ``groups`` says for every barcode the spot it belongs to, or -1 for none.

    Raises
    ------
    CountsError
        If the matrix holds something else than raw counts of its genes, or counts of features it does not have.
    """
    columns = np.where(genes.keep, np.cumsum(genes.keep) - 1, -1)
    shape = (spots, len(genes.var))
    sums: list[Any] = [sparse.csr_matrix(shape, dtype=np.int32)]
    for whole in matrix.blocks():
        _require_known(matrix, whole)
        block = _of_genes(whole, genes.keep)
        require_counts(block.values, matrix.path, lambda at, block=block: _place(matrix, block, at))  # type: ignore[misc]
        sums.append(_summed(groups[block.barcodes], columns[block.features], block.values, shape))
        _add_up(sums, all_of_them=False)
    _add_up(sums, all_of_them=True)
    return sums[0]


def _require_known(matrix: TenxMatrix, block: Block) -> None:
    for role, places, known in (
        ("features", block.features, len(matrix.features)),
        ("barcodes", block.barcodes, len(matrix.barcodes)),
    ):
        if len(places) and not 0 <= places.min() <= places.max() < known:
            raise CountsError(
                f"{matrix.path} is damaged: it has counts beyond its {known} {role}", hint="copy or download it again"
            )


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


def _add_up(sums: list[Any], *, all_of_them: bool) -> None:
    """Add the last of several sums to the one before it, while they are of one size or until one is left."""
    while len(sums) > 1 and (all_of_them or sums[-2].nnz < 2 * sums[-1].nnz):
        last = sums.pop()
        sums.append(sums.pop() + last)
