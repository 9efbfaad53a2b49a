"""Matrices whose products are computed on a GPU, for decompositions that need many of them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self, TypeVar

import numpy as np
import torch
from jaxtyping import Float
from scipy import sparse
from torch import Tensor
from torch.nn import functional as F

from spacrd_core.arrays import Array

CPU = torch.device("cpu")
MEMORY_SHARE = 0.5  # of the free memory, that a matrix and its transpose may take

Matrix = TypeVar("Matrix", sparse.csr_matrix[Any], Array)


def on_device(matrix: Matrix, device: torch.device) -> "Matrix | DeviceMatrix":
    """Return the matrix, and on CUDA, if it fits the memory, one whose products are computed there."""
    if device.type != "cuda" or 2 * _bytes(matrix) > MEMORY_SHARE * torch.cuda.mem_get_info(device)[0]:
        return matrix
    return DeviceMatrix.of(matrix, device)


@dataclass(frozen=True, eq=False)
class DeviceMatrix:
    """A matrix of a device, whose products take and give arrays of the host.

    >>> DeviceMatrix.of(np.float32([[1, 2], [3, 4]]), torch.device("cpu")).T @ np.float32([[1], [0]])
    array([[1.],
           [2.]], dtype=float32)
    """

    shape: tuple[int, int]
    device: torch.device
    product: Callable[[Tensor], Tensor]
    transposed_product: Callable[[Tensor], Tensor]

    @classmethod
    def of(cls, matrix: sparse.csr_matrix[Any] | Array, device: torch.device) -> Self:
        """Return a matrix on a device."""
        rows, columns = matrix.shape
        if isinstance(matrix, np.ndarray):
            dense = torch.from_numpy(matrix).to(device)
            return cls((rows, columns), device, dense.matmul, dense.T.matmul)
        return cls((rows, columns), device, _sparse_product(matrix, device), _sparse_product(matrix.T.tocsr(), device))

    @property
    def T(self) -> Self:  # noqa: N802 - as of NumPy's arrays
        """The transposed matrix."""
        return type(self)(self.shape[::-1], self.device, self.transposed_product, self.product)

    def __matmul__(self, right: Float[Array, "columns r"]) -> Float[Array, "rows r"]:
        return self.product(torch.from_numpy(np.ascontiguousarray(right, np.float32)).to(self.device)).cpu().numpy()


def _sparse_product(matrix: sparse.csr_matrix[Any], device: torch.device) -> Callable[[Tensor], Tensor]:
    """The product with rows as bags: unlike PyTorch's sparse matrices, bags are not experimental."""
    columns, starts, values = (
        torch.from_numpy(part).to(device)
        for part in (matrix.indices, matrix.indptr.astype(matrix.indices.dtype), matrix.data.astype(np.float32))
    )

    def product(right: Tensor) -> Tensor:
        return F.embedding_bag(columns, right, starts, per_sample_weights=values, mode="sum", include_last_offset=True)

    return product


def _bytes(matrix: sparse.csr_matrix[Any] | Array) -> int:
    if isinstance(matrix, np.ndarray):
        return matrix.nbytes
    return int(matrix.data.nbytes + matrix.indices.nbytes + matrix.indptr.nbytes)
