"""A worker process as its parent sees it, and what it does."""

from __future__ import annotations

import multiprocessing
import signal
from collections import deque
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field, replace
from multiprocessing import resource_tracker
from threading import Lock
from typing import TYPE_CHECKING, Any, Self

import torch

from spacrd_core.embedding.executors import in_lanes
from spacrd_core.embedding.shards import Outcome
from spacrd_core.errors import EncoderError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.connection import Connection

    from spacrd_core.embedding.shards import ShardTask

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
