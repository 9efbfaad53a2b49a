"""A task: a piece of work that any process can do on any machine, and what became of it."""

from __future__ import annotations

import traceback
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from spacrd_core.errors import SpacrdError, WorkerError

if TYPE_CHECKING:
    from collections.abc import Callable

UNEXPECTED = "finished work is kept; --debug shows where it failed"

TaskT = TypeVar("TaskT")
ResultT = TypeVar("ResultT")
ResultT_co = TypeVar("ResultT_co", covariant=True)


def _silent(_: int) -> None:
    """Report nothing."""


@dataclass(frozen=True)
class Worker:
    """What a task may use: the device, a function to report progress, and a number of threads (0: as they are)."""

    device: str = "auto"
    report: Callable[[int], None] = _silent
    threads: int = 0


class Task(Protocol[ResultT_co]):
    """A piece of work; it and its result can be pickled, and running it twice has the same effect as once."""

    def run(self, worker: Worker) -> ResultT_co:
        """Do the work and return the result, or :class:`Later`."""
        ...


@dataclass(frozen=True)
class Later(Generic[TaskT]):
    """The result of a task that cannot be done now, and the task to run instead of it, after all others."""

    task: TaskT


@dataclass(frozen=True)
class Outcome(Generic[TaskT, ResultT]):
    """What became of a task: its result, or an error.

    ``retryable`` is whether the reason of the error is unknown, so that another try may succeed.
    """

    task: TaskT
    result: ResultT | None = None
    error: Exception | None = None
    retryable: bool = False


def attempt(task: Task[Any], worker: Worker) -> Outcome[Any, Any]:
    """Run a task; return an error as an outcome, which can be sent to another process."""
    try:
        return Outcome(task, task.run(worker))
    except SpacrdError as error:
        return Outcome(task, error=error)
    except Exception as error:  # noqa: BLE001 - plugins are third parties' and raise anything
        if isinstance(error, ExceptionGroup) and error.split(SpacrdError)[1] is None:
            return Outcome(task, error=error)
        return Outcome(task, error=_unexpected(error), retryable=True)


def _unexpected(error: Exception) -> WorkerError:
    """Return an error that can be pickled, whatever was raised, with the traceback as a note."""
    if isinstance(error, OSError) and error.errno is not None:
        file = f": {error.filename}" if error.filename else ""
        unexpected = WorkerError(f"operating system error: {error.strerror}{file}", hint=UNEXPECTED)
    else:
        unexpected = WorkerError(f"{type(error).__name__}: {error}", hint=UNEXPECTED)
    unexpected.add_note("".join(traceback.format_exception(error)))
    return unexpected
