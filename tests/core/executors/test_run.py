"""The loop that all executors share: how many tasks run, which are tried again, and what a broken pool costs."""

import concurrent.futures
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

import pytest

from spacrd_core.errors import EncoderError, WorkerError
from spacrd_core.executors import run
from spacrd_core.executors.pool import Pool
from spacrd_core.executors.run import MAX_TRIES, run_in_order, run_tasks
from spacrd_core.executors.serial import Serial
from spacrd_core.executors.task import Later, Outcome, Worker

Result = Outcome[Any, Any]


@dataclass(frozen=True)
class Numbered:
    """A task with a number, which waits for another process or not."""

    number: int
    wait: bool = False

    def run(self, worker: Worker) -> int:
        if self.number < 0:
            raise EncoderError("below zero")
        return 10 * self.number


class FakeWorkers(Executor):
    """Workers that finish all their tasks at once, when they are waited for; a lethal task kills them instead."""

    def __init__(self, run: Callable[[Numbered], Result], lethal: set[int]) -> None:
        self.run, self.lethal = run, lethal
        self.broken = False
        self.running: dict[Future[Any], Numbered] = {}

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        if self.broken:
            raise BrokenExecutor
        future: Future[Any] = Future()
        self.running[future] = args[0]
        return future

    def finish(self) -> None:
        self.broken = self.broken or any(task.number in self.lethal for task in self.running.values())
        for future, task in self.running.items():
            if self.broken:
                future.set_exception(BrokenExecutor())
            else:
                future.set_result(self.run(task))
        self.running.clear()


class Workers:
    """Opens pools of fake workers and records what is submitted at the same time."""

    def __init__(self, in_flight: int, run: Callable[[Numbered], Result], lethal: set[int] | None = None) -> None:
        self.in_flight, self.run, self.lethal = in_flight, run, lethal or set()
        self.opened: list[FakeWorkers] = []
        self.together: list[list[int]] = []

    @contextmanager
    def open(self) -> Iterator[Pool]:
        self.opened.append(FakeWorkers(self.run, self.lethal))
        yield Pool(self.opened[-1], cast("Any", self.run), self.in_flight)

    def wait(self, futures: Any, **choices: Any) -> Any:
        if futures:
            self.together.append([task.number for task in self.opened[-1].running.values()])
        self.opened[-1].finish()
        return concurrent.futures.wait(futures, **choices)


def done(task: Numbered) -> Result:
    return Outcome(task, 10 * task.number)


def tasks(count: int) -> list[Numbered]:
    return [Numbered(number) for number in range(count)]


def outcomes(
    workers: Workers,
    tasks: list[Numbered],
    monkeypatch: pytest.MonkeyPatch,
    is_cancelled: Callable[[Numbered], bool] = lambda _: False,
) -> dict[int, Result]:
    """The final outcomes by number; every task has one."""
    monkeypatch.setattr(run, "wait", workers.wait)
    final = list(run_tasks(workers.open, tasks, is_cancelled))
    assert max(Counter(outcome.task.number for outcome in final).values(), default=1) == 1
    return {outcome.task.number: outcome for outcome in final}


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
    assert set(outcomes(workers, tasks(4), monkeypatch, lambda task: task.number % 2 == 1)) == {0, 2}
    assert workers.together == [[0], [2]]


def test_a_task_that_cannot_be_done_now_is_run_after_all_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def run(task: Numbered) -> Result:
        return Outcome(task, Later(Numbered(0, wait=True))) if task == Numbered(0) else done(task)

    workers = Workers(1, run)
    final = outcomes(workers, tasks(3), monkeypatch)
    assert workers.together == [[0], [1], [2], [0]]
    assert final[0].task.wait


def test_tasks_that_wait_for_an_outcome_are_the_next_in_the_same_pool(monkeypatch: pytest.MonkeyPatch) -> None:
    workers, waiting = Workers(1, done), {0: [7, 8], 2: [9]}
    monkeypatch.setattr(run, "wait", workers.wait)
    followed = run_tasks(
        workers.open, tasks(3), then=lambda outcome: map(Numbered, waiting.get(outcome.task.number, []))
    )
    assert [outcome.task.number for outcome in followed] == [0, 7, 8, 1, 2, 9]
    assert len(workers.opened) == 1


def test_an_unknown_error_is_tried_again_and_a_known_one_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(task: Numbered) -> Result:
        if task.number == 2:
            return done(task)
        return Outcome(task, error=EncoderError("no"), retryable=task.number == 0)

    workers = Workers(3, run)
    final = outcomes(workers, tasks(3), monkeypatch)
    assert Counter(number for numbers in workers.together for number in numbers) == {0: MAX_TRIES, 1: 1, 2: 1}
    assert [bool(final[number].error) for number in range(3)] == [True, True, False]


def test_a_broken_pool_is_opened_anew_for_what_is_not_done(monkeypatch: pytest.MonkeyPatch) -> None:
    class KilledOnce(Workers):
        def wait(self, futures: Any, **choices: Any) -> Any:
            self.opened[-1].lethal = {2} if len(self.opened) == 1 else set()
            return super().wait(futures, **choices)

    workers = KilledOnce(2, done)
    final = outcomes(workers, tasks(5), monkeypatch)
    assert [outcome.result for _, outcome in sorted(final.items())] == [0, 10, 20, 30, 40]
    assert workers.together[:2] == [[0, 1], [2, 3]]
    assert sorted(number for numbers in workers.together[2:] for number in numbers) == [2, 3, 4]
    assert len(workers.opened) == 2


def test_a_task_that_breaks_every_pool_fails_and_no_other_one_does(monkeypatch: pytest.MonkeyPatch) -> None:
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
    outcomes(workers, tasks(3), monkeypatch)
    assert [number for numbers in workers.together for number in numbers] == [0, 1, 2]
    assert len(workers.opened) == 2


def test_an_outcome_has_the_task_as_it_was_submitted(monkeypatch: pytest.MonkeyPatch) -> None:
    workers = Workers(1, lambda _: done(Numbered(0, wait=True)))
    assert outcomes(workers, tasks(1), monkeypatch)[0].task == Numbered(0)


def test_a_cancelled_future_means_that_the_scheduler_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    class Gone(Workers):
        def wait(self, futures: Any, **choices: Any) -> Any:
            for future in futures:
                future.cancel()
                future.set_running_or_notify_cancel()
            return concurrent.futures.wait(futures, **choices)

    with pytest.raises(WorkerError, match="scheduler is gone") as caught:
        outcomes(Gone(2, done), tasks(2), monkeypatch)
    assert caught.value.hint == "run the same command again"


def test_an_error_of_the_executor_itself_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(task: Numbered) -> Result:
        raise AssertionError

    class Failing(Workers):
        def wait(self, futures: Any, **choices: Any) -> Any:
            self.together.append([task.number for task in self.opened[-1].running.values()])
            for future in futures:
                future.set_exception(OSError("no route to host"))
            self.opened[-1].running.clear()
            return concurrent.futures.wait(futures, **choices)

    workers = Failing(1, run)
    final = outcomes(workers, tasks(1), monkeypatch)
    assert str(final[0].error) == "OSError: no route to host"
    assert workers.together == [[0]] * MAX_TRIES


def test_outcomes_are_in_the_order_of_the_tasks_and_an_error_stops_no_other_task() -> None:
    tasks = [Numbered(3), Numbered(-1), Numbered(1)]
    final = run_in_order(Serial(), tasks, "counting")
    assert [outcome.task for outcome in final] == tasks
    assert [outcome.result for outcome in final] == [30, None, 10]
    assert str(final[1].error) == "below zero"
