"""What a 10x matrix gives: names along both axes, and its non-zero counts in blocks.

Nothing here holds a matrix as a whole: Visium HD has 700,000 bins of 8 um, and eleven million of 2 um.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

GENES = "Gene Expression"  # the kind of a feature that is a gene
MOST = 2**22  # non-zero counts in a block


@dataclass(frozen=True, eq=False)
class Block:
    """Some of a matrix's non-zero counts, one an index: which barcode, which feature, how many."""

    barcodes: NDArray[np.int64]
    features: NDArray[np.int64]
    values: NDArray[Any]


class TenxMatrix(Protocol):
    """An open matrix."""

    @property
    def path(self) -> Path:
        """The file or folder it is read from."""
        ...

    @property
    def barcodes(self) -> NDArray[np.bytes_]:
        """The names of spots, bins or cells."""
        ...

    @property
    def features(self) -> pd.DataFrame:
        """A row a feature: ``id``, ``symbol``, ``kind`` (``Gene Expression``, ...), ``genome`` ('' where not said)."""
        ...

    def blocks(self) -> Iterator[Block]:
        """Yield all counts, a few million at a time."""
        ...


def spans(indptr: NDArray[np.int64], most: int = MOST) -> Iterator[tuple[int, int]]:
    """Yield ranges of columns (or rows) of a compressed matrix that hold at most so many counts, or are one column."""
    first = 0
    while first < len(indptr) - 1:
        last = int(np.searchsorted(indptr, indptr[first] + most, side="right")) - 1
        last = max(last, first + 1)
        yield first, last
        first = last


def feature_table(
    ids: Sequence[str], symbols: Sequence[str], kinds: Sequence[str] | str = GENES, genomes: Sequence[str] | str = ""
) -> pd.DataFrame:
    """Return the table of a matrix's features."""
    table = pd.DataFrame({"id": ids, "symbol": symbols})
    return table.assign(kind=kinds, genome=genomes).astype(str)
