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


def choose_device(name: str = "auto") -> torch.device:
    """Return the device for ``auto`` (CUDA when there is one), ``cpu``, ``cuda`` or ``cuda:N``.

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
        raise ConfigError(f"'{name}' is not a device", hint="--device auto, cpu, cuda or cuda:N") from error
    if device.type not in {"cpu", "cuda"}:
        raise ConfigError(f"device '{name}' is not supported", hint="--device auto, cpu, cuda or cuda:N")
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise ConfigError(
            f"'{name}' was requested, but this machine has {torch.cuda.device_count()} CUDA devices",
            hint="--device cpu",
        )
    return device


def default_jobs(device: torch.device) -> int:
    """Return the default number of processes: one per core, or one on CUDA, because processes share its memory."""
    return 1 if device.type == "cuda" else os.cpu_count() or 1


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
