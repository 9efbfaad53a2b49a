"""Scaling that makes features of different units comparable."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from jaxtyping import Float
from scipy import sparse

from spacrd_core.arrays import Array
from spacrd_core.genes.moments import Moments

MIN_SPREAD = 1e-6


@dataclass(frozen=True)
class Scaler:
    """A linear scaling ``(values - offset) / scale``: mean and standard deviation, or minimum and range."""

    offset: Float[Array, " d"]
    scale: Float[Array, " d"]

    @classmethod
    def fit(cls, groups: Sequence[Float[Array, "spots d"]]) -> Self:
        """Return the scaler to mean 0 and standard deviation 1 over all groups, each group weighted equally."""
        mean = np.mean([values.mean(axis=0) for values in groups], axis=0)
        variance = np.mean([((values - mean) ** 2).mean(axis=0) for values in groups], axis=0)
        return cls(mean, np.sqrt(variance))

    @classmethod
    def fit_minmax(cls, values: Float[Array, "spots d"]) -> Self:
        """Return the scaler to the range from 0 to 1."""
        lowest = values.min(axis=0)
        return cls(lowest, values.max(axis=0) - lowest)

    @classmethod
    def fit_sparse(cls, values: sparse.csr_matrix[Any]) -> Self:
        """Return the scaler of a sparse matrix to mean 0 and standard deviation 1."""
        return cls.from_moments(Moments.of(values))

    @classmethod
    def from_moments(cls, moments: Moments) -> Self:
        """Return the scaler of columns with these moments to mean 0 and standard deviation 1."""
        return cls(_single(moments.mean), _single(np.sqrt(moments.variance)))

    @classmethod
    def fit_minmax_sparse(cls, values: sparse.csr_matrix[Any]) -> Self:
        """Return the scaler of a sparse matrix to the range from 0 to 1."""
        lowest, highest = (np.asarray(end.todense()).ravel() for end in (values.min(axis=0), values.max(axis=0)))
        return cls(_single(lowest), _single(highest - lowest))

    @property
    def factor(self) -> Float[Array, " d"]:
        """The reciprocal of the scale; 0 for a constant feature."""
        varies = self.scale > MIN_SPREAD
        return np.where(varies, 1 / np.where(varies, self.scale, 1.0), 0.0).astype(np.float32)

    def __call__(self, values: Float[Array, "spots d"]) -> Float[Array, "spots d"]:
        """Return scaled values; constant features become 0."""
        varies = self.scale > MIN_SPREAD
        scaled = values - self.offset
        scaled /= np.where(varies, self.scale, np.ones_like(self.scale))
        scaled[:, ~varies] = 0.0
        return np.asarray(scaled, dtype=np.float32)


def _single(values: Array) -> Array:
    return np.asarray(values, dtype=np.float32)
