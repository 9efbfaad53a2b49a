"""A crew of worker processes on this machine, one a GPU; a worker that is killed is replaced, its shard is not lost."""

from __future__ import annotations

import itertools
import multiprocessing
import signal
from contextlib import suppress
from dataclasses import dataclass, replace
from multiprocessing.connection import wait
from typing import TYPE_CHECKING, Any, Self

import torch

from spacrd_core.embedding.executors import attempt, devices_of, threads_for, usual_workers
from spacrd_core.embedding.shards import Outcome
from spacrd_core.errors import EncoderError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from multiprocessing.connection import Connection

    from spacrd_core.embedding.executors import Outcomes
    from spacrd_core.embedding.shards import ShardTask

GOODBYE_SECONDS = 5.0


@dataclass(frozen=True)
class Processes:
    """Worker processes, each with its device and its share of the threads; 0 workers: as many as usual."""

    workers: int = 0

    def run(self, tasks: Iterable[ShardTask], count: Callable[[int], None]) -> Outcomes:
        """Yield what became of every task as soon as it is known."""
        waiting = iter(tasks)
        first = next(waiting, None)
        if first is None:
            return
        workers = self.workers or usual_workers(first.settings.device)
        devices = itertools.cycle(devices_of(first.settings.device))
        crew = _Crew(itertools.chain([first], waiting))
        try:
            for device in itertools.islice(devices, workers):
                crew.hire(device, threads_for(workers))
            yield from crew.outcomes(count)
        finally:
            crew.dismiss()


class _Crew:
    """Workers at work on one supply of tasks."""

    def __init__(self, tasks: Iterator[ShardTask]) -> None:
        self._tasks = tasks
        self._workers: dict[Any, _Worker] = {}

    def hire(self, device: str, threads: int) -> None:
        """Start a worker if there is a task for it."""
        task = next(self._tasks, None)
        if task is not None:
            worker = _Worker.start(task, device, threads)
            self._workers[worker.pipe] = worker

    def outcomes(self, count: Callable[[int], None]) -> Iterator[Outcome]:
        """Yield what becomes of the tasks until there are no more."""
        while self._workers:
            for pipe in wait(list(self._workers)):
                message = self._hear(self._workers[pipe])
                if isinstance(message, Outcome):
                    yield message
                else:
                    count(message)

    def dismiss(self) -> None:
        """End every worker at once: what is in a ledger stays."""
        for worker in self._workers.values():
            worker.end()
        self._workers.clear()

    def _hear(self, worker: _Worker) -> Outcome | int:
        try:
            message: Outcome | int = worker.pipe.recv()
        except (EOFError, OSError):
            del self._workers[worker.pipe]
            outcome = worker.obituary()
            self.hire(worker.device, worker.threads)
            return outcome
        worker.started = True
        if not isinstance(message, Outcome):
            return message
        outcome = replace(message, task=worker.task)
        self._go_on(worker)
        return outcome

    def _go_on(self, worker: _Worker) -> None:
        task = next(self._tasks, None)
        if task is None:
            del self._workers[worker.pipe]
            worker.end()
        else:
            worker.give(task)


@dataclass
class _Worker:
    """A process, the pipe to it, and the task it has."""

    process: Any
    pipe: Connection
    device: str
    threads: int
    task: ShardTask
    started: bool = False

    @classmethod
    def start(cls, task: ShardTask, device: str, threads: int) -> Self:
        context = multiprocessing.get_context("spawn")  # a forked process cannot use CUDA
        pipe, theirs = context.Pipe()
        process = context.Process(target=_work, args=(theirs, threads), daemon=True)
        process.start()
        theirs.close()  # while it is open here, nobody would notice that the worker is gone
        worker = cls(process, pipe, device, threads, task)
        worker.give(task)
        return worker

    def give(self, task: ShardTask) -> None:
        self.task = task
        placed = replace(task, settings=replace(task.settings, device=self.device))
        with suppress(OSError):  # it is gone: its pipe says so when next listened to
            self.pipe.send(placed)

    def obituary(self) -> Outcome:
        """Return what became of the task of a worker that is gone.

        Raises
        ------
        EncoderError
            If it left before it began: so would the next.
        """
        self.end()
        code = self.process.exitcode
        if code < 0:
            cause = f"its worker was ended by {signal.Signals(-code).name}"
            return Outcome(self.task, error=EncoderError(cause), again=True)
        if self.started:
            return Outcome(self.task, error=EncoderError(f"its worker left with code {code}"), again=True)
        raise EncoderError(f"a worker process cannot start: it left with code {code}", hint="--executor serial")

    def end(self) -> None:
        """Be rid of the process, whatever it does."""
        self.pipe.close()
        self.process.terminate()
        self.process.join(GOODBYE_SECONDS)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()


def _work(pipe: Connection, threads: int) -> None:
    """Do what comes through the pipe, and report patches and outcomes, until the parent is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group: the parent ends its workers
    torch.set_num_threads(threads)
    with suppress(EOFError, BrokenPipeError):
        pipe.send(0)
        while True:
            pipe.send(attempt(pipe.recv(), pipe.send))
