"""Where to compute, and with how many threads."""

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
        If the name is no device, or this machine does not have it.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise ConfigError(f"'{name}' is not a device", hint="--device auto, cpu, cuda or cuda:N") from error
    if device.type not in {"cpu", "cuda"}:
        raise ConfigError(f"'{name}' is not supported", hint="--device auto, cpu, cuda or cuda:N")
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise ConfigError(
            f"'{name}' was asked for; this machine has {torch.cuda.device_count()} CUDA devices", hint="--device cpu"
        )
    return device


def usual_jobs(device: torch.device) -> int:
    """Return how many processes share a device: one a core, and one alone on CUDA, whose memory they would share."""
    return 1 if device.type == "cuda" else os.cpu_count() or 1


@contextmanager
def one_thread() -> Iterator[None]:
    """Compute in one thread, NumPy and SciPy too, and as before afterwards: sums have one order on any number of cores.

    The matrices of a training are small, and threads that wait for each other cost more than they save.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with threadpool_limits(1):
            yield
    finally:
        torch.set_num_threads(threads)
