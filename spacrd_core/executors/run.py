"""Run tasks on an executor: a bounded number at a time, and again if they fail for an unknown reason."""

from __future__ import annotations

from collections import deque
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, CancelledError, wait
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from spacrd_core.errors import PluginError, WorkerError
from spacrd_core.executors.task import Later, Outcome
from spacrd_core.progress import silent

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Generator, Iterable, Mapping, Sequence
    from concurrent.futures import Future
    from contextlib import AbstractContextManager

    from spacrd_core.executors.pool import Executor, Pool
    from spacrd_core.executors.task import ResultT, Task, TaskT
    from spacrd_core.progress import Track

MAX_TRIES = 3


@dataclass(frozen=True)
class _Try:
    """A task, and how often it has failed."""

    task: Any
    failures: int = 0


def run_in_order(
    executor: Executor,
    tasks: Sequence[Task[ResultT]],
    description: str,
    *,
    device: str = "auto",
    track: Track = silent,
) -> list[Outcome[Task[ResultT], ResultT]]:
    """Run independent tasks and return their outcomes in the order of the tasks; ``track`` shows how many are done."""
    final: dict[int, Outcome[Task[ResultT], ResultT]] = {}
    with closing(run_tasks(partial(executor.open, device, lambda _: None), tasks)) as outcomes:
        for outcome in track(outcomes, description, len(tasks)):
            final[id(outcome.task)] = outcome
    return [final[id(task)] for task in tasks]


def results(outcomes: Sequence[Outcome[Any, ResultT]]) -> list[ResultT]:
    """Return the results of all tasks, or raise the first error."""
    for outcome in outcomes:
        if outcome.error:
            raise outcome.error
    return [outcome.result for outcome in outcomes if outcome.result is not None]


def raise_errors(errors: Mapping[str, Exception | None]) -> None:
    """Raise the errors of sections, each with a note of its section if there are several sections."""
    failed = {section: error for section, error in errors.items() if error}
    for section, error in failed.items():
        if len(errors) > 1:
            error.add_note(f"section '{section}'")
    if len(failed) > 1:
        raise ExceptionGroup(f"{len(failed)} of {len(errors)} sections failed", [*failed.values()])
    for error in failed.values():
        raise error


def run_tasks(
    open_pool: Callable[[], AbstractContextManager[Pool]],
    tasks: Iterable[TaskT],
    is_cancelled: Callable[[TaskT], bool] = lambda _: False,
    then: Callable[[Outcome[TaskT, Any]], Iterable[TaskT]] = lambda _: (),
) -> Generator[Outcome[TaskT, Any], None, None]:
    """Yield the final outcome of every task that is not cancelled before its turn.

    A task that fails for an unknown reason has three tries. A task that cannot be done now is run after all others. A
    killed worker breaks the whole pool: a new one is opened for what is not done. ``then`` returns the tasks that can
    start after an outcome; they are the next.
    """
    pending = deque(_Try(task) for task in tasks)
    while pending:
        with open_pool() as pool:
            for attempted, outcome in _run_until_broken(pool, pending, is_cancelled):
                if retry := _next_try(attempted, outcome):
                    pending.append(retry)
                else:
                    final = _final(outcome)
                    pending.extendleft(reversed([_Try(task) for task in then(final)]))
                    yield final


def _run_until_broken(
    pool: Pool, pending: deque[_Try], is_cancelled: Callable[[Any], bool]
) -> Generator[tuple[_Try, Outcome[Any, Any]], None, None]:
    running: dict[Future[Outcome[Any, Any]], _Try] = {}
    broken = False
    while running or (pending and not broken):
        while pending and not broken and _has_room(pool, running.values(), pending[0]):
            attempt = pending.popleft()
            if not is_cancelled(attempt.task):
                try:
                    running[pool.executor.submit(pool.run, attempt.task)] = attempt
                except BrokenExecutor:  # a worker was killed while it was idle
                    broken = True
                    pending.appendleft(attempt)
        for future in wait(running, return_when=FIRST_COMPLETED).done:
            attempt = running.pop(future)
            outcome = _outcome(future, attempt.task)
            broken = broken or isinstance(future.exception(), BrokenExecutor)
            yield attempt, outcome


def _has_room(pool: Pool, running: Collection[_Try], attempt: _Try) -> bool:
    """Return whether a task may start.

    The last try of a task runs alone: if the pool breaks again, then because of this task.
    """
    alone = any(other.failures == MAX_TRIES - 1 for other in (*running, attempt))
    return len(running) < (1 if alone else pool.in_flight)


def _next_try(attempt: _Try, outcome: Outcome[Any, Any]) -> _Try | None:
    if isinstance(outcome.result, Later):
        return _Try(outcome.result.task, attempt.failures)
    if outcome.retryable and attempt.failures < MAX_TRIES - 1:
        return replace(attempt, failures=attempt.failures + 1)
    return None


def _final(outcome: Outcome[TaskT, Any]) -> Outcome[TaskT, Any]:
    """Return an outcome for the user: the traceback of an unknown reason is its cause, not a note to be printed."""
    if not outcome.retryable:
        return outcome
    kind = PluginError if isinstance(outcome.error, PluginError) else WorkerError
    error = kind(str(outcome.error), hint=getattr(outcome.error, "hint", ""))
    error.__cause__ = outcome.error
    return replace(outcome, error=error)


def _outcome(future: Future[Outcome[Any, Any]], task: Any) -> Outcome[Any, Any]:
    """Return the outcome of a task, with the task as it was submitted."""
    try:
        return replace(future.result(), task=task)
    except CancelledError as error:
        raise WorkerError(
            "the Dask scheduler is gone; finished work is kept", hint="run the same command again"
        ) from error
    except BrokenExecutor:
        hint = "if memory was short: fewer --workers, or on CUDA a smaller --batch-size"
        reason = WorkerError("its worker process was killed or crashed", hint=hint)
    except Exception as error:  # noqa: BLE001 - whatever prevents a task from running, also on another machine
        reason = WorkerError(f"{type(error).__name__}: {error}")
    return Outcome(task, error=reason, retryable=True)
