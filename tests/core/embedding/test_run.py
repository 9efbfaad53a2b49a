"""The loop that all executors share: how many tasks run, which are tried again, and what a broken pool costs."""

import concurrent.futures
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from spacrd_core.embedding import run
from spacrd_core.embedding.executors.pool import Pool
from spacrd_core.embedding.run import MAX_TRIES, run_tasks
from spacrd_core.embedding.settings import Settings
from spacrd_core.embedding.shard_task import Outcome, ShardTask
from spacrd_core.errors import EncoderError, StoreError


class FakeWorkers(Executor):
    """Workers that finish all their tasks at once, when they are waited for; a lethal shard kills them instead."""

    def __init__(self, run: Callable[[ShardTask], Outcome], lethal: set[int]) -> None:
        self.run, self.lethal = run, lethal
        self.broken = False
        self.running: dict[Future[Any], ShardTask] = {}

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        if self.broken:
            raise BrokenExecutor
        future: Future[Any] = Future()
        self.running[future] = args[0]
        return future

    def finish(self) -> None:
        self.broken = self.broken or any(task.rows.start in self.lethal for task in self.running.values())
        for future, task in self.running.items():
            if self.broken:
                future.set_exception(BrokenExecutor())
            else:
                future.set_result(self.run(task))
        self.running.clear()


class Workers:
    """Opens pools of fake workers and records what is submitted at the same time."""

    def __init__(self, in_flight: int, run: Callable[[ShardTask], Outcome], lethal: set[int] | None = None) -> None:
        self.in_flight, self.run, self.lethal = in_flight, run, lethal or set()
        self.opened: list[FakeWorkers] = []
        self.together: list[list[int]] = []

    @contextmanager
    def open(self) -> Iterator[Pool]:
        self.opened.append(FakeWorkers(self.run, self.lethal))
        yield Pool(self.opened[-1], self.run, self.in_flight)

    def wait(self, futures: Any, **choices: Any) -> Any:
        if futures:
            self.together.append([task.rows.start for task in self.opened[-1].running.values()])
        self.opened[-1].finish()
        return concurrent.futures.wait(futures, **choices)


def done(task: ShardTask) -> Outcome:
    return Outcome(task, patches=len(task.rows))


def task(number: int, section: str = "S1") -> ShardTask:
    """A shard of one spot."""
    return ShardTask(
        store=Path("store"),
        section=section,
        geometry="",
        encoder="stain",
        options={},
        recipe="",
        rows=range(number, number + 1),
        staging=Path("staging"),
        settings=Settings(),
    )


def tasks(count: int) -> list[ShardTask]:
    return [task(number) for number in range(count)]


def outcomes(
    workers: Workers,
    tasks: list[ShardTask],
    monkeypatch: pytest.MonkeyPatch,
    is_cancelled: Callable[[ShardTask], bool] = lambda _: False,
) -> dict[int, Outcome]:
    """The final outcomes by shard; every shard has one."""
    monkeypatch.setattr(run, "wait", workers.wait)
    final = list(run_tasks(workers.open, tasks, is_cancelled))
    assert max(Counter(outcome.task.rows.start for outcome in final).values(), default=1) == 1
    return {outcome.task.rows.start: outcome for outcome in final}


def test_as_many_tasks_run_as_the_pool_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    workers = Workers(2, done)
    assert set(outcomes(workers, tasks(5), monkeypatch)) == {0, 1, 2, 3, 4}
    assert workers.together == [[0, 1], [2, 3], [4]]
    assert len(workers.opened) == 1


def test_without_tasks_no_pool_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    workers = Workers(2, done)
    assert outcomes(workers, [], monkeypatch) == {}
    assert workers.opened == []


def test_tasks_that_are_cancelled_do_not_run(monkeypatch: pytest.MonkeyPatch) -> None:
    workers = Workers(1, done)
    assert set(outcomes(workers, tasks(4), monkeypatch, lambda task: task.rows.start % 2 == 1)) == {0, 2}
    assert workers.together == [[0], [2]]


def test_a_shard_that_another_process_has_locked_is_waited_for_after_all_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def run(task: ShardTask) -> Outcome:
        return Outcome(task, locked_elsewhere=True) if task.rows.start == 0 and not task.wait else done(task)

    workers = Workers(1, run)
    final = outcomes(workers, tasks(3), monkeypatch)
    assert workers.together == [[0], [1], [2], [0]]
    assert final[0].patches == 1


def test_an_unknown_error_is_tried_again_and_a_known_one_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(task: ShardTask) -> Outcome:
        if task.rows.start == 2:
            return done(task)
        return Outcome(task, error=EncoderError("no"), retryable=task.rows.start == 0)

    workers = Workers(3, run)
    final = outcomes(workers, tasks(3), monkeypatch)
    assert Counter(number for numbers in workers.together for number in numbers) == {0: MAX_TRIES, 1: 1, 2: 1}
    assert final[0].task.failures == MAX_TRIES - 1
    assert [bool(final[number].error) for number in range(3)] == [True, True, False]


def test_a_broken_pool_is_opened_anew_for_what_is_not_done(monkeypatch: pytest.MonkeyPatch) -> None:
    class KilledOnce(Workers):
        def wait(self, futures: Any, **choices: Any) -> Any:
            self.opened[-1].lethal = {2} if len(self.opened) == 1 else set()
            return super().wait(futures, **choices)

    workers = KilledOnce(2, done)
    final = outcomes(workers, tasks(5), monkeypatch)
    assert all(outcome.patches for outcome in final.values())
    assert workers.together[:2] == [[0, 1], [2, 3]]
    assert sorted(number for numbers in workers.together[2:] for number in numbers) == [2, 3, 4]
    assert len(workers.opened) == 2


def test_a_shard_that_breaks_every_pool_fails_and_no_other_one_does(monkeypatch: pytest.MonkeyPatch) -> None:
    workers = Workers(4, done, lethal={1})
    final = outcomes(workers, tasks(4), monkeypatch)
    assert [number for number, outcome in final.items() if outcome.error] == [1]
    assert "killed" in str(final[1].error)
    assert final[1].retryable
    assert len(workers.opened) <= 1 + MAX_TRIES


def test_workers_that_were_killed_while_idle_cost_no_try(monkeypatch: pytest.MonkeyPatch) -> None:
    class KilledWhenIdle(Workers):
        def wait(self, futures: Any, **choices: Any) -> Any:
            result = super().wait(futures, **choices)
            self.opened[-1].broken = len(self.opened) == 1
            return result

    workers = KilledWhenIdle(1, done)
    final = outcomes(workers, tasks(3), monkeypatch)
    assert [outcome.task.failures for outcome in final.values()] == [0, 0, 0]
    assert len(workers.opened) == 2


def test_an_outcome_has_the_task_as_it_was_submitted(monkeypatch: pytest.MonkeyPatch) -> None:
    workers = Workers(1, lambda _: done(task(0, section="as a worker has seen it")))
    assert outcomes(workers, tasks(1), monkeypatch)[0].task == task(0)


def test_a_cancelled_future_means_that_the_scheduler_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    class Gone(Workers):
        def wait(self, futures: Any, **choices: Any) -> Any:
            for future in futures:
                future.cancel()
                future.set_running_or_notify_cancel()
            return concurrent.futures.wait(futures, **choices)

    with pytest.raises(StoreError, match="scheduler is gone") as caught:
        outcomes(Gone(2, done), tasks(2), monkeypatch)
    assert caught.value.hint == "run the same command again"


def test_an_error_of_the_executor_itself_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(task: ShardTask) -> Outcome:
        raise AssertionError

    class Failing(Workers):
        def wait(self, futures: Any, **choices: Any) -> Any:
            self.together.append([task.rows.start for task in self.opened[-1].running.values()])
            for future in futures:
                future.set_exception(OSError("no route to host"))
            self.opened[-1].running.clear()
            return concurrent.futures.wait(futures, **choices)

    workers = Failing(1, run)
    final = outcomes(workers, tasks(1), monkeypatch)
    assert str(final[0].error) == "OSError: no route to host"
    assert workers.together == [[0]] * MAX_TRIES
