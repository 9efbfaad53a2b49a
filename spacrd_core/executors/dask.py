"""A Dask cluster on this machine or on many. Dask moves the tasks of a dead worker to another one."""

from __future__ import annotations

import logging
import signal
import sys
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from multiprocessing import active_children
from pathlib import Path
from tempfile import gettempdir
from threading import Semaphore
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from spacrd_core.errors import ConfigError, PluginError, WorkerError
from spacrd_core.executors import resources
from spacrd_core.executors.pool import Pool
from spacrd_core.executors.signals import starting_processes
from spacrd_core.executors.task import Worker, attempt
from spacrd_core.staging import staging
from spacrd_core.threads import limit_threads

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from spacrd_core.executors.task import Outcome, Task

SILENT = logging.CRITICAL + 1  # on Ctrl-C a scheduler under load calls its closed connections critical
IN_FLIGHT = 1000  # the scheduler distributes the tasks, also to workers that join later

_streams = Semaphore(resources.CUDA_STREAMS)
_one_at_a_time = Semaphore()


@dataclass(frozen=True)
class Placement:
    """Devices of the workers, threads of each (0: as many as Dask gives it), and whether it overlaps two tasks.

    ``topic`` is the Dask topic of the progress messages. The workers of a user's own cluster choose the one device.
    """

    topic: str
    devices: tuple[str, ...]
    threads: int = 0
    overlap: bool = False


@dataclass(frozen=True)
class Dask:
    """The cluster at a scheduler's address, or a new local cluster; 0 workers: the default number."""

    scheduler: str = ""
    workers: int = 0

    def __post_init__(self) -> None:
        if find_spec("distributed") is None:
            raise PluginError("Dask is not installed", hint="pip install 'spacrd[dask]'")

    @property
    def same_machine(self) -> bool:
        """Whether the workers see the files of this machine."""
        return not self.scheduler

    @contextmanager
    def open(self, device: str, report: Callable[[int], None], *, overlap: bool = False) -> Iterator[Pool]:
        """Connect to the cluster, or start one that ends with the context."""
        with _no_logs(), ExitStack() as stack:
            client, placement = self._connect(stack, device, overlap=overlap)
            client.subscribe_topic(placement.topic, lambda event: report(event[1]))
            yield Pool(client.get_executor(pure=False), partial(_run_on_cluster, placement), IN_FLIGHT)

    def _connect(self, stack: ExitStack, device: str, *, overlap: bool) -> tuple[Any, Placement]:
        topic = f"spacrd-{uuid4().hex}"
        if self.scheduler:
            return stack.enter_context(_client(self.scheduler)), Placement(topic, (device,), overlap=overlap)
        workers = self.workers or resources.default_workers(device)
        streams = resources.streams(device) if overlap else 1
        threads = resources.threads_per_worker(workers)
        placement = Placement(topic, tuple(resources.devices(device)), threads, overlap)
        try:
            loop, folder = stack.enter_context(_loop()), stack.enter_context(staging(Path(gettempdir())))
            # the scheduler, too, would leave a folder among the temporary files
            stack.enter_context(import_module("dask").config.set({"temporary-directory": str(folder)}))
            cluster = stack.enter_context(_local_cluster(workers, streams, loop=loop, local_directory=str(folder)))
            return stack.enter_context(distributed().Client(cluster)), placement
        except (OSError, RuntimeError) as error:  # Dask times out on a machine that has more to do than it can
            raise WorkerError(
                f"Dask workers cannot start on this machine: {str(error) or 'they took too long'}",
                hint="--executor processes, or fewer --workers",
            ) from error


def distributed() -> Any:
    """Return the module ``distributed``, which is an optional dependency."""
    return import_module("distributed")


def _client(address: str) -> Any:
    try:
        return distributed().Client(address)
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"no Dask scheduler answers at '{address}'",
            hint="--scheduler tcp://HOST:8786, as 'dask scheduler' prints it",
        ) from error


@contextmanager
def _loop() -> Iterator[Any]:
    """Yield the event loop of a thread that keeps Ctrl-C from the workers that it will start."""
    runner = import_module("distributed.utils").LoopRunner()
    with starting_processes():
        runner.start()
    try:
        yield runner.loop
    finally:
        runner.stop()


@contextmanager
def _local_cluster(workers: int, streams: int, **options: Any) -> Iterator[Any]:
    """Yield a cluster whose workers are killed at the end, also while they start; Dask would wait for them."""
    theirs = {*_nannies(), *active_children()}  # of another cluster in this process
    try:
        with distributed().LocalCluster(
            n_workers=workers,
            threads_per_worker=streams,
            memory_limit=0,  # the batch size decides how much memory is used, and the system has its own limit
            dashboard_address=None,
            scheduler_kwargs={"dashboard_address": "127.0.0.1:0"},  # it always serves one; avoid the usual port
            silence_logs=SILENT,
            preload=[__name__],
            **options,
        ) as cluster:
            try:
                yield cluster
            finally:
                _kill_workers(theirs)
    except BaseException:
        _kill_workers(theirs)
        raise


def _nannies() -> set[Any]:
    """Return what looks after workers; a cluster that is starting does not name it yet."""
    return set(distributed().Nanny._instances)  # noqa: SLF001


def _kill_workers(theirs: set[Any]) -> None:
    for nanny in _nannies() - theirs:
        nanny.close_gracefully()  # it starts no other worker
    for process in set(active_children()) - theirs:
        if process.name.startswith("Dask Worker"):
            process.kill()


def dask_setup(_: Any) -> None:
    """Prepare a local worker: it ignores Ctrl-C, which reaches the process group, and the cluster stops it.

    Its stdout is the command's, which has results alone; what a plugin prints goes to stderr.
    """
    sys.stdout = sys.stderr
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@contextmanager
def _no_logs() -> Iterator[None]:
    """Keep Dask from logging to the terminal; our errors report what the user needs to know."""
    distributed()  # the import sets its log levels
    loggers = [logging.getLogger(name) for name in ("distributed", "distributed.client", "distributed.scheduler")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(SILENT)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def _run_on_cluster(placement: Placement, task: Task[Any]) -> Outcome[Any, Any]:
    """Run a task on a Dask worker, and report its progress to the client."""
    worker: Any = distributed().get_worker()
    devices = placement.devices
    device = devices[int(worker.name) % len(devices)] if len(devices) > 1 else devices[0]
    threads = placement.threads or worker.state.nthreads
    limit_threads(threads)
    with _streams if placement.overlap else _one_at_a_time:  # a user's workers may have any number of threads
        return attempt(task, Worker(device, lambda count: worker.log_event(placement.topic, count), threads))
