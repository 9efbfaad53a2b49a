"""How many workers a machine gets, and which device and how many threads each of them uses."""

from __future__ import annotations

import os

import torch

from spacrd_core.devices import choose_device

CORES_PER_WORKER = 4
CUDA_STREAMS = 2


def streams(device: str) -> int:
    """Return how many overlapping tasks a device works on at a time.

    On CUDA it is two: one reads or writes while the other computes.
    """
    return CUDA_STREAMS if choose_device(device).type == "cuda" else 1


def devices(device: str) -> list[str]:
    """Return the devices that workers share: every CUDA device, unless one is named."""
    chosen = choose_device(device)
    if chosen.type == "cuda" and chosen.index is None:
        return [f"cuda:{index}" for index in range(torch.cuda.device_count())]
    return [str(chosen)]


def default_workers(device: str) -> int:
    """Return the default number of workers: one per GPU, or one per four CPU cores."""
    if choose_device(device).type != "cpu":
        return len(devices(device))
    return max(1, (os.cpu_count() or 1) // CORES_PER_WORKER)


def threads_per_worker(workers: int) -> int:
    """Return each worker's share of the threads of this process."""
    return max(1, torch.get_num_threads() // workers)
