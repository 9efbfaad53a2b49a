"""Run shard tasks on an executor: a bounded number at a time, and again if they fail for an unknown reason."""

from __future__ import annotations

from collections import deque
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, CancelledError, wait
from dataclasses import replace
from typing import TYPE_CHECKING

from spacrd_core.embedding.shard_task import Outcome
from spacrd_core.errors import EncoderError, StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Generator, Iterable
    from concurrent.futures import Future
    from contextlib import AbstractContextManager

    from spacrd_core.embedding.executors.pool import Pool
    from spacrd_core.embedding.shard_task import ShardTask

MAX_TRIES = 3


def run_tasks(
    open_pool: Callable[[], AbstractContextManager[Pool]],
    tasks: Iterable[ShardTask],
    is_cancelled: Callable[[ShardTask], bool],
) -> Generator[Outcome, None, None]:
    """Yield the final outcome of every task that is not cancelled before its turn.

    A task that fails for an unknown reason has three tries. A shard that another process has locked is waited for,
    after all other tasks. A killed worker breaks the whole pool: a new one is opened for what is not done.
    """
    pending = deque(tasks)
    while pending:
        with open_pool() as pool:
            for outcome in _run_until_broken(pool, pending, is_cancelled):
                if retry := _next_try(outcome):
                    pending.append(retry)
                else:
                    yield outcome


def _run_until_broken(
    pool: Pool, pending: deque[ShardTask], is_cancelled: Callable[[ShardTask], bool]
) -> Generator[Outcome, None, None]:
    running: dict[Future[Outcome], ShardTask] = {}
    broken = False
    while running or (pending and not broken):
        while pending and not broken and _has_room(pool, running.values(), pending[0]):
            task = pending.popleft()
            if not is_cancelled(task):
                try:
                    running[pool.executor.submit(pool.run, task)] = task
                except BrokenExecutor:  # a worker was killed while it was idle
                    broken = True
                    pending.appendleft(task)
        for future in wait(running, return_when=FIRST_COMPLETED).done:
            outcome = _outcome(future, running.pop(future))
            broken = broken or isinstance(future.exception(), BrokenExecutor)
            yield outcome


def _has_room(pool: Pool, running: Collection[ShardTask], task: ShardTask) -> bool:
    """Return whether a task may start.

    The last try of a shard runs alone: if the pool breaks again, then because of this shard.
    """
    alone = any(other.failures == MAX_TRIES - 1 for other in (*running, task))
    return len(running) < (1 if alone else pool.in_flight)


def _next_try(outcome: Outcome) -> ShardTask | None:
    task = outcome.task
    if outcome.locked_elsewhere:
        return replace(task, wait=True)
    if outcome.retryable and task.failures < MAX_TRIES - 1:
        return replace(task, failures=task.failures + 1)
    return None


def _outcome(future: Future[Outcome], task: ShardTask) -> Outcome:
    """Return the outcome of a task; a worker may have run it with settings of its own."""
    try:
        return replace(future.result(), task=task)
    except CancelledError as error:
        raise StoreError(
            "the Dask scheduler is gone; finished shards are kept", hint="run the same command again"
        ) from error
    except BrokenExecutor:
        hint = "if memory was short: fewer --workers, or on CUDA a smaller --batch-size"
        reason = EncoderError("its worker process was killed or crashed", hint=hint)
    except Exception as error:  # noqa: BLE001 - whatever prevents a task from running, also on another machine
        reason = EncoderError(f"{type(error).__name__}: {error}")
    return Outcome(task, error=reason, retryable=True)
