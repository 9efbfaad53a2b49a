"""A device that this machine does not have: tensors with a shape and a place, and errors where the host would wait.

Under :func:`absent_device`, an operation on tensors of two devices is an error, and so is whatever needs a value of the
device: ``item``, ``bool``, ``nonzero``, ``bincount``, a copy to the host.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

if TYPE_CHECKING:
    from collections.abc import Iterator

    from spacrd_core.cohort.batch import Batch

CUDA = torch.device("cuda", 0)
#: PyTorch's backward pass asks the driver of CUDA, even for tensors without values. This name has no driver to ask.
WITH_BACKWARD = torch.device("cuda", 0) if torch.cuda.is_available() else torch.device("lazy")


class HostWaitsError(Exception):
    """An operation copies values between host and device, so that one waits for the other."""


class _NoCopies(TorchDispatchMode):
    """Refuse every operation that has a tensor of a device and returns one of the host, or the reverse."""

    def __init__(self, *, constants: bool) -> None:
        super().__init__()
        self._constants = constants

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        given, returned = (_on_host(values) for values in ((args, kwargs), result))
        if given and returned and given != returned and not (self._constants and given == {True}):
            raise HostWaitsError(f"{func} copies between host and device")
        return result


def _on_host(values: Any) -> set[bool]:
    """Whether the tensors among some values are on the host; scalars may be anywhere."""
    return {leaf.device.type == "cpu" for leaf in tree_leaves(values) if isinstance(leaf, Tensor) and leaf.ndim}


@contextmanager
def absent_device(*, constants: bool = False) -> Iterator[None]:
    """Compute without values on whatever device; mixing devices or waiting for one is an error.

    With ``constants``, tensors of the host may be copied to the device.
    """
    with FakeTensorMode(), _NoCopies(constants=constants):
        yield


def batch_on(batch: Batch, device: torch.device) -> Batch:
    """Return a batch of the same shape on the device, without values."""
    tensors = {name: value for name, value in vars(batch).items() if isinstance(value, Tensor)}
    places: dict[str, Any] = {
        name: torch.empty(value.shape, dtype=value.dtype, device=device) for name, value in tensors.items()
    }
    return replace(batch, **places)
