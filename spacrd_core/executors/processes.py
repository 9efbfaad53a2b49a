"""Worker processes on this machine, each with one device."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import cycle, islice
from threading import Thread
from typing import TYPE_CHECKING, Any

import torch

from spacrd_core.errors import WorkerError
from spacrd_core.executors import resources
from spacrd_core.executors.fork_server import stop_fork_server, worker_context
from spacrd_core.executors.pool import Pool
from spacrd_core.executors.signals import starting_processes
from spacrd_core.executors.task import Worker, attempt
from spacrd_core.threads import limit_threads

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from concurrent.futures import Future
    from multiprocessing.connection import Connection
    from multiprocessing.queues import SimpleQueue

    from spacrd_core.executors.task import Outcome, Task


@dataclass(frozen=True)
class Processes:
    """Worker processes; by default (0) one per CUDA device, or one per four CPU cores."""

    workers: int = 0

    @property
    def same_machine(self) -> bool:
        """Whether the workers see the files of this machine."""
        return True

    @contextmanager
    def open(self, device: str, report: Callable[[int], None], *, overlap: bool = False) -> Iterator[Pool]:  # noqa: ARG002 - a process runs one task at a time
        """Start the workers; leaving the context kills them.

        Raises
        ------
        WorkerError
            If a worker process cannot start.
        """
        workers = self.workers or resources.default_workers(device)
        names = resources.devices(device)
        context = worker_context(names)
        devices = context.SimpleQueue()
        for name in islice(cycle(names), workers):
            devices.put(name)
        with _progress_pipe(report) as progress:
            arguments = (devices, resources.threads_per_worker(workers), progress, dict(os.environ))
            executor = WorkerProcesses(workers, context, initializer=_start_worker, initargs=arguments)
            try:
                yield Pool(executor, _run_in_worker, workers)
            finally:
                executor.kill()
            executor.require_starts()


class WorkerProcesses(ProcessPoolExecutor):
    """Processes that ignore Ctrl-C and can be killed."""

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Return the future of a call, which may start a process."""
        with starting_processes(stop_fork_server):  # it may still be loading its modules
            return super().submit(function, *args, **kwargs)

    def kill(self) -> None:
        """Kill the processes and wait for their end."""
        self._killed = list(self._processes.values())
        for process in self._killed:
            process.kill()
        self.shutdown()

    def require_starts(self) -> None:
        """Raise an error if a process that was killed had ended before, by itself."""
        codes = [code for process in self._killed if (code := process.exitcode) is not None and code >= 0]
        if codes:  # a worker never exits by itself once it has started
            raise WorkerError(
                f"a worker process cannot start: it exited with code {codes[0]}",
                hint="--executor serial; a Python script needs: if __name__ == '__main__'",
            )


@contextmanager
def _progress_pipe(report: Callable[[int], None]) -> Iterator[Connection]:
    """Yield the end of a pipe to which all workers send what their tasks report.

    There is no lock that a killed worker could keep: messages are shorter than PIPE_BUF, so that writing is atomic.
    """
    reader, writer = multiprocessing.Pipe(duplex=False)
    thread = Thread(target=_forward, args=(reader, report), daemon=True)
    thread.start()
    try:
        yield writer
    finally:
        writer.close()
        thread.join()


def _forward(reader: Connection, report: Callable[[int], None]) -> None:
    with reader, suppress(EOFError):  # when every process has closed its end of the pipe
        while True:
            report(reader.recv())


_worker: dict[str, Any] = {}


def _start_worker(
    devices: SimpleQueue[str], threads: int, progress: Connection, environment: Mapping[str, str]
) -> None:
    """Prepare a new process: it claims a device and ends with its parent."""
    os.environ.update(environment)  # the server that it is forked from may be older
    sys.stdout = sys.stderr  # which has no results: what a plugin prints is not one
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the process group; the parent kills its workers
    Thread(target=_exit_with_parent, daemon=True).start()
    torch.set_num_threads(threads)
    limit_threads(threads)
    _worker.update(device=devices.get(), progress=progress)


def _exit_with_parent() -> None:
    """End this process when its parent has ended; a ProcessPoolExecutor does not (python/cpython#111873)."""
    parent = multiprocessing.parent_process()
    if parent:
        parent.join()
        os._exit(1)


def _run_in_worker(task: Task[Any]) -> Outcome[Any, Any]:
    return attempt(task, Worker(_worker["device"], _worker["progress"].send))
