"""A task: a piece of work that any process can do on any machine, and what became of it."""

from __future__ import annotations

import traceback
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from spacrd_core.errors import PluginError, SpacrdError, WorkerError
from spacrd_core.executors.portable import portable
from spacrd_core.memory import out_of_memory
from spacrd_core.plugin_errors import PASSED_ON, describe_error, failure_in_plugin, is_explained
from spacrd_core.system_errors import explain

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
    except PASSED_ON:
        raise
    except BaseException as error:  # noqa: BLE001 - plugins are third parties' and raise anything
        if isinstance(error, Exception) and is_explained(error):
            return Outcome(task, error=portable(error))
        if isinstance(error, OSError) and (explained := explain(error)):
            return Outcome(task, error=explained)
        return Outcome(task, error=_unexpected(error), retryable=True)


def _unexpected(error: BaseException) -> SpacrdError:
    """Return an error that can be pickled, whatever was raised, with the traceback as a note."""
    unexpected: SpacrdError
    if reason := failure_in_plugin(error):
        unexpected = PluginError(str(reason), hint=reason.hint)
    elif isinstance(error, MemoryError):
        unexpected = out_of_memory(error)
    elif isinstance(error, OSError) and error.errno is not None:
        file = f": {error.filename}" if error.filename else ""
        unexpected = WorkerError(f"operating system error: {error.strerror}{file}", hint=UNEXPECTED)
    else:
        unexpected = WorkerError(describe_error(error), hint=UNEXPECTED)
    unexpected.add_note("".join(traceback.format_exception(error)))
    return unexpected
