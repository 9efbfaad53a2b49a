"""The interface of an executor: it opens a pool, which is a ``concurrent.futures.Executor`` and what to run on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import concurrent.futures
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from spacrd_core.executors.task import Outcome, Task


@dataclass(frozen=True)
class Pool:
    """Open workers.

    Attributes
    ----------
    executor
        Runs ``run`` in this process, in other processes or on other machines.
    run
        Runs one task on the worker's device and reports its progress.
    in_flight
        Number of tasks that the executor holds at a time.
    """

    executor: concurrent.futures.Executor
    run: Callable[[Task[Any]], Outcome[Any, Any]]
    in_flight: int


class Executor(Protocol):
    """Where tasks run."""

    @property
    def same_machine(self) -> bool:
        """Whether the workers see the files of this machine."""
        ...

    def open(
        self, device: str, report: Callable[[int], None], *, overlap: bool = False
    ) -> AbstractContextManager[Pool]:
        """Open workers on a device; ``report`` receives the numbers that tasks report.

        With ``overlap``, a worker on CUDA runs two tasks at a time: one reads or writes while the other computes.
        Leaving the context stops the workers; unfinished tasks are lost.
        """
        ...
