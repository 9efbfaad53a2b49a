"""Mean and mean square of every gene, in one pass over the counts that are not 0."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy import sparse

BLOCK = 1 << 20  # values at a time, so that sums in double precision need no copy of the whole


@dataclass(frozen=True, eq=False)
class Moments:
    """The mean and the mean square of every column of a sparse matrix."""

    mean: NDArray[np.float64]
    mean_square: NDArray[np.float64]

    @classmethod
    def of(cls, values: sparse.csr_matrix[Any]) -> Self:
        """Return the moments of a sparse matrix; NaN if it has no row."""
        rows, columns = values.shape
        sums = np.zeros((2, columns))
        for start in range(0, values.nnz, BLOCK):
            column = values.indices[start : start + BLOCK]
            value = values.data[start : start + BLOCK].astype(np.float64)
            sums[0] += np.bincount(column, value, columns)
            sums[1] += np.bincount(column, value * value, columns)
        with np.errstate(invalid="ignore"):
            return cls(*sums / np.float64(rows))

    @property
    def variance(self) -> NDArray[np.float64]:
        """The variance of every column."""
        return np.maximum(self.mean_square - self.mean**2, 0.0)

    def select(self, columns: NDArray[np.intp]) -> Moments:
        """Return the moments of some columns."""
        return Moments(self.mean[columns], self.mean_square[columns])
