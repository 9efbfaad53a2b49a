"""Sum the barcodes of a matrix into spots, in blocks: one barcode per spot (Visium), or many (bins, cells).

Memory is a few times that of the result, whatever the size of the matrix: the sums of blocks are merged in pairs as
soon as two have a similar size. Files list bins in any order, so a block can contribute to every spot.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from spacrd_core.errors import CountsError
from spacrd_core.section.counts import RAW_HINT, require_counts
from spacrd_readers.tenx.blocks import Block

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spacrd_readers.tenx.blocks import TenxMatrix
    from spacrd_readers.tenx.genes import Genes

ROUND_HINT = "or round what tools like SpotClean and SoupX have corrected: --set reader.round_counts=true"


def sum_counts(
    matrix: TenxMatrix, groups: NDArray[np.int32], spots: int, genes: Genes, *, round_counts: bool | None = None
) -> sparse.csr_matrix[Any]:
    """Return int32 counts, spots x genes; ``groups`` holds the spot index of every barcode, or -1 for none.

    ``round_counts`` rounds counts with decimals; None if a reader has no such option.

    Raises
    ------
    CountsError
        If the matrix holds values other than raw counts, or refers to features or barcodes that it does not list.
    """
    columns = np.where(genes.keep, np.cumsum(genes.keep) - 1, -1)
    shape = (spots, len(genes.var))
    sums: list[Any] = [sparse.csr_matrix(shape, dtype=np.int32)]
    for entries in matrix.blocks():
        _require_known(matrix, entries)
        block = _gene_counts(entries, genes.keep)
        if round_counts:
            block = replace(block, values=np.rint(block.values))
        _require_counts(matrix, block, hint=RAW_HINT if round_counts is None else f"{RAW_HINT}; {ROUND_HINT}")
        sums.append(_sum_block(groups[block.barcodes], columns[block.features], block.values, shape))
        _merge_sums(sums, all_of_them=False)
    _merge_sums(sums, all_of_them=True)
    if round_counts:
        sums[0].eliminate_zeros()
    return sums[0]


def _require_counts(matrix: TenxMatrix, block: Block, *, hint: str) -> None:
    require_counts(block.values, matrix.path, lambda at: _place(matrix, block, at), hint=hint)


def _require_known(matrix: TenxMatrix, block: Block) -> None:
    for role, indices, count in (
        ("features", block.features, len(matrix.features)),
        ("barcodes", block.barcodes, len(matrix.barcodes)),
    ):
        if len(indices) and not 0 <= indices.min() <= indices.max() < count:
            raise CountsError(
                f"{matrix.path} is damaged: it has counts beyond its {count} {role}", hint="copy or download it again"
            )


def _gene_counts(block: Block, keep: NDArray[np.bool_]) -> Block:
    """Drop other features before values are checked: proteins are measured as intensities, not counts."""
    if keep.all():
        return block
    selected = keep[block.features]
    return Block(block.barcodes[selected], block.features[selected], block.values[selected])


def _place(matrix: TenxMatrix, block: Block, at: int) -> tuple[str, str]:
    return matrix.barcodes[block.barcodes[at]].decode(), str(matrix.features["symbol"].iloc[block.features[at]])


def _sum_block(
    rows: NDArray[Any], columns: NDArray[Any], values: NDArray[Any], shape: tuple[int, int]
) -> sparse.csr_matrix[Any]:
    selected = (rows >= 0) & (columns >= 0)
    if not selected.all():
        rows, columns, values = rows[selected], columns[selected], values[selected]
    triples = (values.astype(np.int32), (rows.astype(np.int32), columns.astype(np.int32)))
    return sparse.csr_matrix(sparse.coo_matrix(triples, shape=shape))


def _merge_sums(sums: list[Any], *, all_of_them: bool) -> None:
    """Add the last sum to the one before it while the two have a similar size, or until one is left."""
    while len(sums) > 1 and (all_of_them or sums[-2].nnz < 2 * sums[-1].nnz):
        last = sums.pop()
        sums.append(sums.pop() + last)
