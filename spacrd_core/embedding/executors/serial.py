"""What runs shards: this process, a crew of processes, or a Dask cluster. An executor only maps tasks to outcomes."""

from __future__ import annotations

import os
import traceback
from contextlib import closing
from itertools import chain
from typing import TYPE_CHECKING, Protocol

import torch

from spacrd_core.devices import choose_device
from spacrd_core.embedding.shard_task import Outcome, run_shard
from spacrd_core.errors import EncoderError, SpacrdError
from spacrd_core.threads import ahead

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable
    from typing import TypeAlias

    from spacrd_core.embedding.shard_task import ShardTask

    Outcomes: TypeAlias = Generator[Outcome, None, None]

CORES_A_WORKER = 4
CUDA_LANES = 2


class Executor(Protocol):
    """Runs tasks in any order, each once; what may be tried again is for the caller to say."""

    def run(self, tasks: Iterable[ShardTask], count: Callable[[int], None]) -> Outcomes:
        """Yield what became of every task as soon as it is known; ``count`` hears how many patches were done.

        Closing the iterator ends the work; what is under way is lost, what is in a ledger stays.
        """
        ...


class Serial:
    """One shard after the other, in this process."""

    def run(self, tasks: Iterable[ShardTask], count: Callable[[int], None]) -> Outcomes:
        """Yield what became of every task."""
        waiting = iter(tasks)
        for first in waiting:
            yield from in_lanes(chain([first], waiting), count, lanes_of(first.settings.device))


def in_lanes(tasks: Iterable[ShardTask], count: Callable[[int], None], lanes: int) -> Outcomes:
    """Yield what became of every task, in order, so many at a time in threads; one at a time needs none."""
    if lanes == 1:
        for task in tasks:
            yield attempt(task, count)
    else:
        with closing(ahead(lambda task: attempt(task, count), tasks, threads=lanes, most=lanes - 1)) as outcomes:
            yield from outcomes


def attempt(task: ShardTask, count: Callable[[int], None] = lambda _: None) -> Outcome:
    """Run a shard; an error is what became of it, and fit to travel between processes."""
    try:
        return run_shard(task, count)
    except SpacrdError as error:
        return Outcome(task, error=error)
    except Exception as error:  # noqa: BLE001 - an encoder is a third party's and may raise anything
        unforeseen = EncoderError(f"{type(error).__name__}: {error}")
        unforeseen.add_note("".join(traceback.format_exception(error)))
        return Outcome(task, error=unforeseen, again=True)


def lanes_of(device: str) -> int:
    """Return how many shards a process works on at a time: on CUDA, one is read and one written beside the encoder."""
    return CUDA_LANES if choose_device(device).type == "cuda" else 1


def usual_workers(device: str) -> int:
    """Return how many worker processes to start: one a CUDA device; on a CPU one for every four cores."""
    if choose_device(device).type == "cuda":
        return len(devices_of(device))
    return max(1, (os.cpu_count() or 1) // CORES_A_WORKER)


def devices_of(device: str) -> list[str]:
    """Return the devices that workers share out among them: all of CUDA's, unless one is named."""
    chosen = choose_device(device)
    if chosen.type == "cuda" and chosen.index is None:
        return [f"cuda:{index}" for index in range(torch.cuda.device_count())]
    return [str(chosen)]


def threads_for(workers: int) -> int:
    """Return how many of this process's threads each worker gets."""
    return max(1, torch.get_num_threads() // workers)
