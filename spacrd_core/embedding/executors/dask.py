"""A Dask cluster on this machine or on many. Dask moves the shards of a dead worker to another one."""

from __future__ import annotations

import logging
import signal
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from threading import Semaphore
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import torch

from spacrd_core.embedding.executors import resources
from spacrd_core.embedding.executors.pool import Pool
from spacrd_core.embedding.shard_task import attempt_shard
from spacrd_core.errors import ConfigError, PluginError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from spacrd_core.embedding.shard_task import Outcome, ShardTask

SILENT = logging.CRITICAL + 1  # on Ctrl-C a scheduler under load calls its closed connections critical
IN_FLIGHT = 1000  # the scheduler distributes the tasks, also to workers that join later

_streams = Semaphore(resources.CUDA_STREAMS)


@dataclass(frozen=True)
class Placement:
    """Devices and threads of the workers; a user's own cluster has its own.

    ``topic`` is the Dask topic of the progress messages.
    """

    topic: str
    devices: tuple[str, ...] = ()
    threads: int = 0


@dataclass(frozen=True)
class Dask:
    """The cluster at a scheduler's address, or a new local cluster; 0 workers: the default number."""

    scheduler: str = ""
    workers: int = 0

    def __post_init__(self) -> None:
        if find_spec("distributed") is None:
            raise PluginError("Dask is not installed", hint="pip install 'spacrd[dask]'")

    @contextmanager
    def open(self, device: str, report: Callable[[int], None]) -> Iterator[Pool]:
        """Connect to the cluster, or start one that ends with the context."""
        with _no_logs(), ExitStack() as stack:
            client, placement = self._connect(stack, device)
            client.subscribe_topic(placement.topic, lambda event: report(event[1]))
            yield Pool(client.get_executor(pure=False), partial(_run_on_cluster, placement), IN_FLIGHT)

    def _connect(self, stack: ExitStack, device: str) -> tuple[Any, Placement]:
        topic = f"spacrd-{uuid4().hex}"
        if self.scheduler:
            return stack.enter_context(_client(self.scheduler)), Placement(topic)
        workers = self.workers or resources.default_workers(device)
        cluster = stack.enter_context(_local_cluster(workers, resources.streams(device)))
        placement = Placement(topic, tuple(resources.devices(device)), resources.threads_per_worker(workers))
        return stack.enter_context(distributed().Client(cluster)), placement


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


def _local_cluster(workers: int, streams: int) -> Any:
    return distributed().LocalCluster(
        n_workers=workers,
        threads_per_worker=streams,
        memory_limit=0,  # the batch size decides how much memory is used, and the system has its own limit
        dashboard_address=None,
        scheduler_kwargs={"dashboard_address": "127.0.0.1:0"},  # the scheduler always serves one; avoid the usual port
        silence_logs=SILENT,
        preload=[__name__],
    )


def dask_setup(_: Any) -> None:
    """Prepare a local worker: it ignores Ctrl-C, which reaches the process group, and the cluster stops it."""
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


def _run_on_cluster(placement: Placement, task: ShardTask) -> Outcome:
    """Embed a shard on a Dask worker, and report its progress to the client."""
    worker: Any = distributed().get_worker()
    if placement.devices:
        device = placement.devices[int(worker.name) % len(placement.devices)]
        task = replace(task, settings=replace(task.settings, device=device))
    with _streams:  # a user's workers may have any number of threads
        torch.set_num_threads(placement.threads or worker.state.nthreads)
        return attempt_shard(task, lambda patches: worker.log_event(placement.topic, patches))
