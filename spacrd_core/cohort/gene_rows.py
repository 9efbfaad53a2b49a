"""The genes of a section that is too large to be held dense."""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from jaxtyping import Bool, Float
from scipy import sparse
from scipy.sparse.linalg import LinearOperator
from torch import Tensor

from spacrd_core.arrays import Array
from spacrd_core.cohort.scaling import Scale


class GeneReading(Protocol):
    """A linear map from a section's measured genes, standardised, to the panel that a head reads."""

    @property
    def width(self) -> int:
        """How many genes the head reads."""

    def __call__(self, scaled: Float[Array, "spots measured"]) -> Float[Array, "spots panel"]:
        """Return the panel as it is read."""

    def pulled(self, right: Float[Array, "panel r"]) -> Float[Array, "measured r"]:
        """Return what to multiply the measured genes with, to have the panel times ``right``."""

    def pushed(self, right: Float[Array, "measured r"]) -> Float[Array, "panel r"]:
        """Return the panel's transpose times something, of the measured genes' transpose times it."""


@dataclass(frozen=True)
class PanelReading:
    """Measured genes as they are, and 0 for the others; ``centred`` takes a spot's mean over the measured off them."""

    measured: Bool[Array, " panel"]
    centred: bool

    @property
    def width(self) -> int:
        return len(self.measured)

    def __call__(self, scaled: Float[Array, "spots measured"]) -> Float[Array, "spots panel"]:
        read = np.zeros((len(scaled), self.width), dtype=np.float32)
        read[:, self.measured] = scaled - scaled.mean(axis=1, keepdims=True) if self.centred else scaled
        return read

    def pulled(self, right: Float[Array, "panel r"]) -> Float[Array, "measured r"]:
        own = right[self.measured]
        return np.asarray(own - own.mean(axis=0) if self.centred else own)

    def pushed(self, right: Float[Array, "measured r"]) -> Float[Array, "panel r"]:
        found = np.zeros((self.width, right.shape[1]), dtype=np.float32)
        found[self.measured] = right - right.mean(axis=0) if self.centred else right
        return found


@dataclass(frozen=True)
class GeneRows:
    """A section's expression as a head reads it; dense in those spots only that are asked for.

    ``values`` are the genes measured, sparse and as they were; ``measured`` says which of the detector's those are.
    """

    values: sparse.csr_matrix[Any]
    measured: Bool[Array, " genes"]
    scale: Scale
    reading: GeneReading

    def __len__(self) -> int:
        return int(self.values.shape[0])

    @property
    def counted(self) -> Bool[Array, " spots"]:
        """Which spots have a count of any gene of the panel."""
        return np.asarray(self.values.getnnz(axis=1) > 0)

    def __getitem__(self, rows: slice | Tensor) -> Float[Tensor, "rows panel"]:
        """Return some spots, dense, where their indices are."""
        some = self.values[rows if isinstance(rows, slice) else rows.cpu().numpy()]
        read = self.reading(self.scale(some.toarray()))
        return torch.from_numpy(read).to("cpu" if isinstance(rows, slice) else rows.device)

    def operator(self) -> LinearOperator:
        """Return all spots as what multiplies matrices, without ever being dense."""
        factor, offset = self.scale.factor[:, None], self.scale.offset

        def times(right: Array) -> Array:
            own = factor * self.reading.pulled(right)
            return np.asarray(self.values @ own - offset @ own)

        def transposed_times(right: Array) -> Array:
            return self.reading.pushed(factor * (self.values.T @ right - np.outer(offset, right.sum(axis=0))))

        return operator_of((len(self), self.reading.width), times, transposed_times)


def operator_of(shape: tuple[int, int], times: Any, transposed_times: Any) -> LinearOperator:
    """Return the matrix that multiplies other matrices so."""
    return LinearOperator(
        shape, matvec=times, rmatvec=transposed_times, matmat=times, rmatmat=transposed_times, dtype=np.float32
    )
