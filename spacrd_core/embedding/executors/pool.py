"""The interface of an executor: it opens a pool, which is a ``concurrent.futures.Executor`` and what to run on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import concurrent.futures
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from spacrd_core.embedding.shard_task import Outcome, ShardTask


@dataclass(frozen=True)
class Pool:
    """Open workers.

    Attributes
    ----------
    executor
        Runs ``run`` in this process, in other processes or on other machines.
    run
        Embeds one shard on the worker's device and reports its progress.
    in_flight
        Number of tasks that the executor holds at a time.
    """

    executor: concurrent.futures.Executor
    run: Callable[[ShardTask], Outcome]
    in_flight: int


class Executor(Protocol):
    """Where shard tasks run."""

    def open(self, device: str, report: Callable[[int], None]) -> AbstractContextManager[Pool]:
        """Open workers on a device; ``report`` receives the number of patches of every finished batch.

        Leaving the context stops the workers. Unfinished shards are lost; the ledger keeps the finished ones.
        """
        ...
