"""The mean of features over every spot's neighbourhood: neighbours share their tissue, not their noise."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from scipy import sparse
from scipy.sparse.linalg import LinearOperator

from spacrd_core.arrays import Array
from spacrd_core.cohort.device_matrix import CPU, on_device
from spacrd_core.cohort.gene_rows import LazyExpression
from spacrd_core.cohort.operators import dense_operator, linear_operator

BLOCK = 512  # spots that are dense at a time
MIN_DENSITY = (
    1 / 3
)  # share of counts that are not 0 from which a dense product of few spots is faster than a sparse one


@dataclass(frozen=True, eq=False)
class NeighbourhoodMeans:
    """Features of a section's spots, averaged over neighbourhoods; they are never dense as a whole.

    ``weights`` (spots x spots) sum to 1 over each spot's neighbourhood.
    """

    weights: sparse.csr_matrix[Any]
    features: Float[Array, "spots d"] | LazyExpression

    @classmethod
    def of(
        cls,
        features: Float[Array, "spots d"] | LazyExpression,
        indices: Int[Array, "spots k"],
        present: Bool[Array, "spots k"],
    ) -> Self:
        """Return the means over these neighbours, those that are present."""
        weights = (present / present.sum(axis=1, keepdims=True)).astype(np.float32)
        row_ends = np.arange(0, present.size + 1, present.shape[1])
        shape = (len(present), len(features))
        return cls(sparse.csr_matrix((weights.ravel(), indices.ravel(), row_ends), shape=shape), features)

    def __len__(self) -> int:
        return int(self.weights.shape[0])

    @property
    def width(self) -> int:
        """The number of features."""
        features = self.features
        return features.projection.width if isinstance(features, LazyExpression) else features.shape[1]

    def of_spots(self, spots: Int[Array, " selected"]) -> Self:
        """Return the means of some spots alone; their neighbours may be others."""
        return self if len(spots) == len(self) else replace(self, weights=self.weights[spots])

    def operator(self, device: torch.device = CPU) -> LinearOperator:
        """Return the means as a linear operator (spots x features), whose products a device may compute."""
        features, weights = self.features, on_device(self.weights, device)
        if isinstance(features, LazyExpression):
            matrix = features.operator(device)
        else:
            matrix = dense_operator(on_device(features, device))
        return linear_operator(
            (len(self), matrix.shape[1]),
            lambda right: weights @ (matrix @ right),
            lambda left: matrix.rmatmat(weights.T @ left),
        )

    def dense(self) -> Float[Array, "spots d"]:
        """Return the means of all spots."""
        features = self.features
        return np.asarray(self.weights @ (features[:].numpy() if isinstance(features, LazyExpression) else features))

    def faster(self, spots: int) -> Self:
        """Return the same with dense features if products are then faster: at most so many spots, with many counts."""
        features = self.features
        if not isinstance(features, LazyExpression) or len(features) > spots:
            return self
        dense = features.values.nnz > MIN_DENSITY * len(features) * features.projection.width
        return replace(self, features=features[:].numpy()) if dense else self

    def average(self, spots: Int[Array, " selected"]) -> Float[Array, " d"]:
        """Return the average over some spots; only they and their neighbours are read."""
        weights = np.asarray(self.weights[spots].mean(axis=0), dtype=np.float32).reshape(-1, 1)
        needed = np.flatnonzero(weights)
        if isinstance(self.features, LazyExpression):
            part = replace(self.features, values=self.features.values[needed])
            return np.asarray(part.operator().rmatmat(weights[needed]).ravel())
        return np.asarray(self.features[needed].T @ weights[needed, 0])

    def blocks(self) -> Iterator[Float[Array, "block d"]]:
        """Yield the means of all spots, some spots at a time."""
        for start in range(0, len(self), BLOCK):
            weights = self.weights[start : start + BLOCK]
            if isinstance(self.features, LazyExpression):
                needed = np.unique(weights.indices)
                # Reading is linear, and the weights sum to 1: the mean of what is read is what is read of the mean.
                averaged = weights[:, needed] @ self.features.counted(needed)
                yield replace(self.features, values=averaged, columns=None)[:].numpy()
            else:
                yield weights @ self.features
