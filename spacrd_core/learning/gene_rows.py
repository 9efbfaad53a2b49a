"""The genes of a section that is too large to be held dense."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float
from scipy import sparse
from scipy.sparse.linalg import LinearOperator
from torch import Tensor

from spacrd_core.learning.scale import Scale

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class GeneRows:
    """A section's expression on a panel, standardised; dense in those spots only that are asked for.

    ``values`` are the genes measured, sparse and as they were; ``measured`` says which of the panel those are. Genes
    that were not measured are 0. With ``centred`` a spot's mean over its measured genes is taken off each of them.
    """

    values: sparse.csr_matrix[Any]
    measured: Bool[Array, " panel"]
    scale: Scale
    centred: bool

    def __len__(self) -> int:
        return int(self.values.shape[0])

    @property
    def counted(self) -> Bool[Array, " spots"]:
        """Which spots have a count of any gene of the panel."""
        return np.asarray(self.values.max(axis=1).toarray().ravel() > 0)

    def __getitem__(self, rows: slice | Tensor) -> Float[Tensor, "rows panel"]:
        """Return some spots, dense, where their indices are."""
        some = self.values[rows if isinstance(rows, slice) else rows.cpu().numpy()]
        scaled = self.scale(some.toarray())
        if self.centred:
            scaled -= scaled.mean(axis=1, keepdims=True)
        found = np.zeros((len(scaled), len(self.measured)), dtype=np.float32)
        found[:, self.measured] = scaled
        return torch.from_numpy(found).to("cpu" if isinstance(rows, slice) else rows.device)

    def operator(self) -> LinearOperator:
        """Return all spots as what multiplies matrices, without ever being dense."""
        factor = self.scale.factor[:, None]
        taken = self.scale.offset @ factor
        means = (self.values @ factor - taken) / len(factor)

        def times(right: Array) -> Array:
            own = right[self.measured]
            found = self.values @ (factor * own) - self.scale.offset @ (factor * own)
            return np.asarray(found - means * own.sum(axis=0) if self.centred else found)

        def transposed_times(right: Array) -> Array:
            own = factor * (self.values.T @ right - np.outer(self.scale.offset, right.sum(axis=0)))
            found = np.zeros((len(self.measured), right.shape[1]), dtype=np.float32)
            found[self.measured] = own - means.T @ right if self.centred else own
            return found

        return operator_of((len(self), len(self.measured)), times, transposed_times)


def operator_of(shape: tuple[int, int], times: Any, transposed_times: Any) -> LinearOperator:
    """Return the matrix that multiplies other matrices so."""
    return LinearOperator(
        shape, matvec=times, rmatvec=transposed_times, matmat=times, rmatmat=transposed_times, dtype=np.float32
    )
