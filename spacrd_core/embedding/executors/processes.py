"""A crew of worker processes on this machine, one a GPU; who is killed is replaced, and what they had is done again."""

from __future__ import annotations

import itertools
import multiprocessing
import signal
from collections import deque
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field, replace
from multiprocessing import resource_tracker
from multiprocessing.connection import wait
from threading import Lock
from typing import TYPE_CHECKING, Any, Self

import torch

from spacrd_core.embedding.executors.serial import devices_of, in_lanes, lanes_of, threads_for, usual_workers
from spacrd_core.embedding.shard_task import Outcome
from spacrd_core.errors import EncoderError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from multiprocessing.connection import Connection

    from spacrd_core.embedding.executors.serial import Outcomes
    from spacrd_core.embedding.shard_task import ShardTask


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
        crew = _Crew(itertools.chain([first], waiting), threads_for(workers), lanes_of(first.settings.device))
        try:
            for device in itertools.islice(devices, workers):
                crew.hire(device)
            yield from crew.outcomes(count)
        finally:
            crew.dismiss()


class _Crew:
    """Workers at work on one supply of tasks."""

    def __init__(self, tasks: Iterator[ShardTask], threads: int, lanes: int) -> None:
        self._tasks, self._threads, self._lanes = tasks, threads, lanes
        self._workers: dict[Any, Worker] = {}

    def hire(self, device: str) -> None:
        """Start a worker if there is a task for it, and give it one a lane."""
        task = next(self._tasks, None)
        if task is None:
            return
        worker = Worker.start(device, self._threads, self._lanes)
        self._workers[worker.pipe] = worker
        worker.give(task)
        for _ in range(1, self._lanes):
            worker.give(next(self._tasks, None))

    def outcomes(self, count: Callable[[int], None]) -> Iterator[Outcome]:
        """Yield what becomes of the tasks until there are no more."""
        while self._workers:
            for pipe in wait(list(self._workers)):
                for message in self._hear(self._workers[pipe]):
                    if isinstance(message, Outcome):
                        yield message
                    else:
                        count(message)

    def dismiss(self) -> None:
        """End every worker at once: what is in a ledger stays."""
        for worker in self._workers.values():
            worker.end()
        self._workers.clear()

    def _hear(self, worker: Worker) -> Iterator[Outcome | int]:
        """Yield what a worker says; give it another task for one that it has done, and replace it if it is gone."""
        try:
            message = worker.hear()
        except (EOFError, OSError):
            del self._workers[worker.pipe]
            yield from worker.obituary()
            self.hire(worker.device)
            return
        if isinstance(message, Outcome):
            worker.give(next(self._tasks, None))
            if not worker.hand:
                del self._workers[worker.pipe]
                worker.end()
        yield message


GOODBYE_SECONDS = 5.0


@dataclass
class Worker:
    """A process, the pipe to it, and the tasks it has in hand, which it does in their order."""

    process: Any
    pipe: Connection
    device: str
    threads: int
    hand: deque[ShardTask] = field(default_factory=deque)
    started: bool = False

    @classmethod
    def start(cls, device: str, threads: int, lanes: int) -> Self:
        """Start a process that waits for tasks."""
        context = multiprocessing.get_context("spawn")  # a forked process cannot use CUDA
        pipe, theirs = context.Pipe()
        process = context.Process(target=_work, args=(theirs, threads, lanes), daemon=True)
        with _ctrl_c_held_back():
            process.start()
        theirs.close()  # while it is open here, nobody would notice that the worker is gone
        return cls(process, pipe, device, threads)

    def give(self, task: ShardTask | None) -> None:
        """Give it another task, or say that there are no more."""
        if task is not None:
            self.hand.append(task)
            task = replace(task, settings=replace(task.settings, device=self.device))
        with suppress(OSError):  # it is gone: its pipe says so when next listened to
            self.pipe.send(task)

    def hear(self) -> Outcome | int:
        """Return what it says next: what became of a task, or how many patches more are done.

        Raises
        ------
        EOFError, OSError
            If it is gone.
        """
        message: Outcome | int = self.pipe.recv()
        self.started = True
        return replace(message, task=self.hand.popleft()) if isinstance(message, Outcome) else message

    def obituary(self) -> list[Outcome]:
        """Return what became of the tasks of a worker that is gone.

        Raises
        ------
        EncoderError
            If it left before it began: so would the next.
        """
        self.end()
        code = self.process.exitcode
        if code >= 0 and not self.started:
            raise EncoderError(f"a worker process cannot start: it left with code {code}", hint="--executor serial")
        cause = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"left with code {code}"
        smaller = ", a smaller --batch-size" if self.device.startswith("cuda") else ""  # a CPU's passes have one size
        error = EncoderError(f"its worker {cause}", hint=f"if memory was short: fewer --workers{smaller}")
        return [Outcome(task, error=error, again=True) for task in self.hand]

    def end(self) -> None:
        """Be rid of the process, whatever it does."""
        self.pipe.close()
        self.process.terminate()
        self.process.join(GOODBYE_SECONDS)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()


@contextmanager
def _ctrl_c_held_back() -> Iterator[None]:
    """Let a process that is started meanwhile never hear Ctrl-C, which would end it before it knows better."""
    if not hasattr(signal, "pthread_sigmask"):  # on Windows
        yield
        return
    resource_tracker.ensure_running()  # the first process starts it, and it would let the signal through
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _work(pipe: Connection, threads: int, lanes: int) -> None:
    """Do what comes through the pipe, and report patches and outcomes, until there is no more or the parent is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group: the parent ends its workers
    torch.set_num_threads(threads)
    turn = Lock()

    def say(message: Outcome | int) -> None:
        with turn:
            pipe.send(message)

    with suppress(EOFError, BrokenPipeError):
        say(0)
        with closing(in_lanes(_received(pipe), say, lanes)) as outcomes:
            for outcome in outcomes:
                say(outcome)


def _received(pipe: Connection) -> Iterator[ShardTask]:
    while (task := pipe.recv()) is not None:
        yield task
