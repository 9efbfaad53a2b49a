"""Arrays kept among tensors under names with a prefix."""

from collections.abc import Mapping

import numpy as np
import torch

from spacrd_core.arrays import Array


def named(prefix: str, arrays: Mapping[str, Array]) -> dict[str, torch.Tensor]:
    """Return arrays as tensors called ``prefix.name``."""
    return {f"{prefix}.{name}": torch.from_numpy(np.asarray(value)) for name, value in arrays.items()}


def arrays(tensors: Mapping[str, torch.Tensor], prefix: str) -> dict[str, Array]:
    """Return the tensors whose names begin with a prefix, as arrays by what follows it."""
    return {name: value.numpy() for name, value in below(tensors, prefix).items()}


def below(tensors: Mapping[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    """Return the tensors whose names begin with a prefix, by what follows it."""
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
