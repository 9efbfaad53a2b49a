"""The compute device, and the number of processes and threads."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch
from threadpoolctl import threadpool_limits

from spacrd_core.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

KNOWN_DEVICES = "--device auto, cpu, cuda, cuda:N or mps"


def choose_device(name: str = "auto") -> torch.device:
    """Return the device for ``auto`` (CUDA when there is one), ``cpu``, ``cuda``, ``cuda:N`` or ``mps``.

    ``mps``, the GPU of an Apple computer, is untested; ``auto`` does not choose it.

    Raises
    ------
    ConfigError
        If the name is not a device, or this machine does not have it.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise ConfigError(f"'{name}' is not a device", hint=KNOWN_DEVICES) from error
    if device.type not in {"cpu", "cuda", "mps"}:
        raise ConfigError(f"device '{name}' is not supported", hint=KNOWN_DEVICES)
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise ConfigError(
            f"'{name}' was requested, but this machine has {torch.cuda.device_count()} CUDA devices",
            hint="--device cpu",
        )
    if device.type == "mps" and not torch.backends.mps.is_available():
        raise ConfigError(f"'{name}' was requested, but this machine has no Apple GPU", hint="--device cpu")
    return device


def default_jobs(device: torch.device) -> int:
    """Return the default number of processes: one per core, or one on a GPU, because processes share its memory."""
    return os.cpu_count() or 1 if device.type == "cpu" else 1


def copy_to_device(values: Tensor, device: torch.device) -> Tensor:
    """Return a tensor of the host on a device; on CUDA the copy may still be running, and the host does not wait."""
    if device.type != "cuda":
        return values.to(device)
    return values.pin_memory().to(device, non_blocking=True)


def effective_precision(precision: str, device: torch.device) -> str:
    """Return the precision of float32 matrix products on a device; only CUDA knows TF32."""
    return precision if device.type == "cuda" else "fp32"


@contextmanager
def matrix_products(precision: str, device: torch.device) -> Iterator[None]:
    """Compute float32 matrix products in ``tf32`` on CUDA: inputs have 10 bits after the point, sums are exact.

    ``fp32`` leaves them as they are, and so does a CPU.
    """
    if effective_precision(precision, device) == "fp32":
        yield
        return
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("high")  # torch.compile cannot read the newer setting of CUDA alone
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)


@contextmanager
def one_thread() -> Iterator[None]:
    """Limit PyTorch, NumPy and SciPy to one thread, so that the order of summation does not depend on the cores.

    The matrices of a training are small, and synchronising threads costs more than it saves.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with threadpool_limits(1):
            yield
    finally:
        torch.set_num_threads(threads)
