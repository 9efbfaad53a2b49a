"""The interface of a 10x matrix: names along both axes, and its non-zero counts in blocks.

A matrix is never loaded whole: a Visium HD section has 700,000 bins of 8 um, or eleven million of 2 um.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pandas as pd

from spacrd_core.errors import CountsError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

GENE_EXPRESSION = "Gene Expression"  # the kind of a feature that is a gene
MAX_BLOCK_VALUES = 2**22  # non-zero counts per block
COPY_AGAIN = "copy or download it again"


@dataclass(frozen=True, eq=False)
class Block:
    """Part of the non-zero counts of a matrix, as parallel arrays: barcode index, feature index and count."""

    barcodes: NDArray[np.int64]
    features: NDArray[np.int64]
    values: NDArray[Any]


class TenxMatrix(Protocol):
    """An open matrix."""

    @property
    def path(self) -> Path:
        """The file or folder of the matrix."""
        ...

    @property
    def barcodes(self) -> NDArray[np.bytes_]:
        """The names of spots, bins or cells."""
        ...

    @property
    def features(self) -> pd.DataFrame:
        """One row per feature: ``id``, ``symbol``, ``kind`` (``Gene Expression``, ...), ``genome`` ('' if unknown)."""
        ...

    @property
    def notes(self) -> tuple[str, ...]:
        """What was assumed or left out when the names were read."""
        ...

    def blocks(self) -> Iterator[Block]:
        """Yield all counts, a few million at a time."""
        ...


def column_ranges(indptr: NDArray[np.int64], most: int = MAX_BLOCK_VALUES) -> Iterator[tuple[int, int]]:
    """Yield ranges of columns (or rows) of a compressed matrix with at most ``most`` counts, or of one column."""
    first = 0
    while first < len(indptr) - 1:
        last = int(np.searchsorted(indptr, indptr[first] + most, side="right")) - 1
        last = max(last, first + 1)
        yield first, last
        first = last


def require_offsets(offsets: NDArray[np.int64], names: int, values: int, path: Path) -> None:
    """Refuse offsets that do not divide the counts of a matrix among its barcodes (or features).

    Raises
    ------
    CountsError
        If there is not one for every name and one more, from 0 up to the number of counts.
    """
    if offsets.shape != (names + 1,) or offsets[-1] != values:
        raise CountsError(f"the matrix {path} is damaged: its arrays differ in length", hint=COPY_AGAIN)
    if offsets[0] != 0 or (np.diff(offsets) < 0).any():
        raise CountsError(f"the matrix {path} is damaged: its offsets (indptr) do not rise from 0", hint=COPY_AGAIN)


def require_ascii(names: NDArray[np.bytes_], path: Path) -> NDArray[np.bytes_]:
    """Return the names of spots, bins or cells, which are plain letters and digits on every platform.

    Raises
    ------
    CountsError
        If they are not, or not a list.
    """
    is_list = names.ndim == 1 and names.dtype.itemsize
    if not is_list or (np.ascontiguousarray(names).view(np.uint8) > 127).any():
        raise CountsError(f"the matrix {path} is damaged: its barcodes are not names", hint=COPY_AGAIN)
    return names


def feature_table(
    ids: Sequence[str],
    symbols: Sequence[str],
    kinds: Sequence[str] | str = GENE_EXPRESSION,
    genomes: Sequence[str] | str = "",
) -> pd.DataFrame:
    """Return the feature table of a matrix."""
    table = pd.DataFrame({"id": ids, "symbol": symbols})
    return table.assign(kind=kinds, genome=genomes).astype(str)
