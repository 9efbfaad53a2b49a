"""Tasks in this process: one at a time, or in a thread per stream on CUDA."""

from __future__ import annotations

from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from spacrd_core.executors.pool import Pool
from spacrd_core.executors.task import Worker, attempt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Result = TypeVar("Result")


@dataclass(frozen=True)
class Serial:
    """Run the tasks in this process."""

    @property
    def same_machine(self) -> bool:
        """Whether the workers see the files of this machine."""
        return True

    @contextmanager
    def open(self, device: str, report: Callable[[int], None], *, overlap: bool = False) -> Iterator[Pool]:
        """Open an executor in this process."""
        from spacrd_core.executors import resources  # noqa: PLC0415 - imports torch

        streams = resources.streams(device) if overlap else 1
        executor = SerialExecutor() if streams == 1 else ThreadPoolExecutor(streams)
        try:
            yield Pool(executor, partial(attempt, worker=Worker(device, report)), streams)
        finally:
            executor.shutdown(cancel_futures=True)


class SerialExecutor(Executor):
    """Runs every call when it is submitted, in the calling thread."""

    def submit(self, function: Callable[..., Result], /, *args: Any, **kwargs: Any) -> Future[Result]:
        """Return the finished future of a call."""
        future: Future[Result] = Future()
        try:
            future.set_result(function(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 - the future raises it
            future.set_exception(error)
        return future
