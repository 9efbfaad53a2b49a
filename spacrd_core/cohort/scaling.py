"""Features of different units made comparable."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from jaxtyping import Float
from scipy import sparse

from spacrd_core.arrays import Array

STILL = 1e-6


@dataclass(frozen=True)
class Scale:
    """What is taken off features, and what they are then divided by: mean and spread, or minimum and range."""

    offset: Float[Array, " d"]
    width: Float[Array, " d"]

    @classmethod
    def of(cls, groups: Sequence[Float[Array, "spots d"]]) -> Self:
        """Return the scale to mean 0 and spread 1 of all values, every group counting the same."""
        mean = np.mean([values.mean(axis=0) for values in groups], axis=0)
        variance = np.mean([((values - mean) ** 2).mean(axis=0) for values in groups], axis=0)
        return cls(mean, np.sqrt(variance))

    @classmethod
    def range_of(cls, values: Float[Array, "spots d"]) -> Self:
        """Return the scale that takes values to the range from 0 to 1."""
        lowest = values.min(axis=0)
        return cls(lowest, values.max(axis=0) - lowest)

    @classmethod
    def of_sparse(cls, values: sparse.csr_matrix[Any]) -> Self:
        """Return the scale to mean 0 and spread 1 of a sparse matrix."""
        share = np.full(values.shape[0], 1 / values.shape[0])
        mean = share @ values
        variance = share @ values.multiply(values).tocsr() - mean**2
        return cls(_single(mean), _single(np.sqrt(np.maximum(variance, 0.0))))

    @classmethod
    def range_of_sparse(cls, values: sparse.csr_matrix[Any]) -> Self:
        """Return the scale that takes a sparse matrix to the range from 0 to 1."""
        lowest, highest = (np.asarray(end.todense()).ravel() for end in (values.min(axis=0), values.max(axis=0)))
        return cls(_single(lowest), _single(highest - lowest))

    @property
    def factor(self) -> Float[Array, " d"]:
        """What features are multiplied with: 1 over the width; 0 for a feature that does not vary."""
        moving = self.width > STILL
        return np.where(moving, 1 / np.where(moving, self.width, 1.0), 0.0).astype(np.float32)

    def __call__(self, values: Float[Array, "spots d"]) -> Float[Array, "spots d"]:
        """Return scaled values; a feature that does not vary is 0."""
        moving = self.width > STILL
        scaled = np.where(moving, (values - self.offset) / np.where(moving, self.width, 1.0), 0.0)
        return np.asarray(scaled, dtype=np.float32)


def _single(values: Array) -> Array:
    return np.asarray(values, dtype=np.float32)
