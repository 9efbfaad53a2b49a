"""Expression of large sections, of which only the requested spots become dense."""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from scipy import sparse
from scipy.sparse.linalg import LinearOperator
from torch import Tensor

from spacrd_core.arrays import Array
from spacrd_core.cohort.device_matrix import CPU, on_device
from spacrd_core.cohort.operators import linear_operator
from spacrd_core.cohort.scaling import Scaler


class GeneProjection(Protocol):
    """A linear map from a section's measured genes (standardised) to the genes that a head reads."""

    @property
    def width(self) -> int:
        """The number of genes that the head reads."""

    def __call__(self, scaled: Float[Array, "spots measured"]) -> Float[Array, "spots panel"]:
        """Return the projected expression."""

    def matmat(self, right: Float[Array, "panel r"]) -> Float[Array, "measured r"]:
        """Return the projection matrix (measured x panel) times ``right``."""

    def rmatmat(self, right: Float[Array, "measured r"]) -> Float[Array, "panel r"]:
        """Return the transposed projection matrix (panel x measured) times ``right``."""


@dataclass(frozen=True)
class PanelProjection:
    """Measured genes unchanged and 0 for the others; ``centred`` subtracts a spot's mean over its measured genes."""

    measured: Bool[Array, " panel"]
    centred: bool

    @property
    def width(self) -> int:
        return len(self.measured)

    def __call__(self, scaled: Float[Array, "spots measured"]) -> Float[Array, "spots panel"]:
        projected = np.zeros((len(scaled), self.width), dtype=np.float32)
        projected[:, self.measured] = scaled - scaled.mean(axis=1, keepdims=True) if self.centred else scaled
        return projected

    def matmat(self, right: Float[Array, "panel r"]) -> Float[Array, "measured r"]:
        product = right[self.measured]
        return np.asarray(product - product.mean(axis=0) if self.centred else product)

    def rmatmat(self, right: Float[Array, "measured r"]) -> Float[Array, "panel r"]:
        product = np.zeros((self.width, right.shape[1]), dtype=np.float32)
        product[self.measured] = right - right.mean(axis=0) if self.centred else right
        return product


@dataclass(frozen=True)
class LazyExpression:
    """A section's expression as a head reads it; only the requested spots become dense.

    Attributes
    ----------
    values
        Log-normalised expression of the measured genes (CSR), not yet scaled.
    measured
        Which genes of the detector's panel are measured.
    scaler, projection
        The standardisation of the measured genes, and their map to the genes that a head reads.
    columns
        The columns of the measured genes among the values; None if there are no others.
    """

    values: sparse.csr_matrix[Any]
    measured: Bool[Array, " genes"]
    scaler: Scaler
    projection: GeneProjection
    columns: Int[Array, " measured"] | None = None

    def __len__(self) -> int:
        return int(self.values.shape[0])

    @property
    def has_counts(self) -> Bool[Array, " spots"]:
        """Which spots have a count of any panel gene."""
        return np.asarray(self.counted(slice(None)).getnnz(axis=1) > 0)

    def counted(self, rows: slice | Int[Array, " rows"]) -> sparse.csr_matrix[Any]:
        """Return the log-normalised expression of the measured genes in some spots, not yet scaled."""
        values = self.values[rows]
        return values if self.columns is None else values[:, self.columns]

    def __getitem__(self, rows: slice | Tensor) -> Float[Tensor, "rows panel"]:
        """Return the dense expression of some spots, on the device of their indices."""
        values = self.counted(rows if isinstance(rows, slice) else rows.cpu().numpy())
        projected = self.projection(self.scaler(values.toarray()))
        return torch.from_numpy(projected).to("cpu" if isinstance(rows, slice) else rows.device)

    def __matmul__(self, matrix: Float[Tensor, "panel r"]) -> Float[Tensor, "spots r"]:
        """Return the product with a matrix, on its device; expression is never dense."""
        return torch.from_numpy(self.operator() @ matrix.cpu().numpy()).to(matrix.device)

    def operator(self, device: torch.device = CPU) -> LinearOperator:
        """Return the matrix of all spots as a linear operator, whose sparse products a device may compute."""
        values, factor, offset = on_device(self.values, device), self.scaler.factor[:, None], self.scaler.offset

        def matmat(right: Array) -> Array:
            product = factor * self.projection.matmat(right)
            return np.asarray(values @ self._among_others(product) - offset @ product)

        def rmatmat(right: Array) -> Array:
            sums = values.T @ right
            sums = sums if self.columns is None else sums[self.columns]
            return self.projection.rmatmat(factor * (sums - np.outer(offset, right.sum(axis=0))))

        return linear_operator((len(self), self.projection.width), matmat, rmatmat)

    def _among_others(self, product: Float[Array, "measured r"]) -> Float[Array, "all r"]:
        """One row for each column of the values, 0 for genes that are not read."""
        if self.columns is None:
            return product
        spread = np.zeros((self.values.shape[1], product.shape[1]), dtype=product.dtype)
        spread[self.columns] = product
        return spread
