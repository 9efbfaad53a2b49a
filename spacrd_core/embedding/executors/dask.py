"""A Dask cluster: workers on this machine or on many, which Dask replaces when they die."""

from __future__ import annotations

import logging
import signal
from concurrent.futures import CancelledError
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from importlib import import_module
from importlib.util import find_spec
from threading import Semaphore
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import torch

from spacrd_core.embedding.executors.serial import CUDA_LANES, attempt, devices_of, lanes_of, threads_for, usual_workers
from spacrd_core.embedding.shard_task import Outcome
from spacrd_core.errors import ConfigError, EncoderError, PluginError, StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from spacrd_core.embedding.executors.serial import Outcomes
    from spacrd_core.embedding.shard_task import ShardTask


_lanes = Semaphore(CUDA_LANES)


@dataclass(frozen=True)
class Placement:
    """What a worker is to use: one of the devices and so many threads; on a user's cluster, what it has of its own.

    ``topic`` is where it tells how many patches are done.
    """

    topic: str
    devices: tuple[str, ...] = ()
    threads: int = 0


@dataclass(frozen=True)
class Dask:
    """The cluster whose scheduler has this address, or one started here with so many workers (0: as many as usual)."""

    scheduler: str = ""
    workers: int = 0

    def __post_init__(self) -> None:
        if find_spec("distributed") is None:
            raise PluginError("Dask is not installed", hint="pip install 'spacrd[dask]'")

    def run(self, tasks: Iterable[ShardTask], count: Callable[[int], None]) -> Outcomes:
        """Yield what became of every task as soon as it is known."""
        listed = list(tasks)
        if not listed:
            return
        with _quiet(), ExitStack() as stack:
            client, placement = self._connect(stack, listed[0].settings.device)
            client.subscribe_topic(placement.topic, lambda event: count(event[1]))
            yield from _outcomes(client, placement, listed)

    def _connect(self, stack: ExitStack, device: str) -> tuple[Any, Placement]:
        topic = f"spacrd-{uuid4().hex}"
        if self.scheduler:
            return stack.enter_context(_client(self.scheduler)), Placement(topic)
        workers = self.workers or usual_workers(device)
        cluster = stack.enter_context(_cluster(workers, lanes_of(device)))
        placement = Placement(topic, tuple(devices_of(device)), threads_for(workers))
        return stack.enter_context(distributed().Client(cluster)), placement


def distributed() -> Any:
    """Return Dask's distributed part, which may not be installed."""
    return import_module("distributed")


def _client(address: str) -> Any:
    try:
        return distributed().Client(address)
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"no Dask scheduler answers at '{address}'",
            hint="--scheduler tcp://HOST:8786, as 'dask scheduler' prints it",
        ) from error


def _cluster(workers: int, lanes: int) -> Any:
    return distributed().LocalCluster(
        n_workers=workers,
        threads_per_worker=lanes,
        memory_limit=0,  # embedding takes what its batch takes, and the system has a limit of its own
        dashboard_address=None,
        scheduler_kwargs={"dashboard_address": "127.0.0.1:0"},  # it serves something all the same: not at a usual port
        silence_logs=logging.CRITICAL,
        preload=[__name__],
    )


def dask_setup(_: Any) -> None:
    """Prepare a worker that was started here: Ctrl-C reaches it too, but ending it is its cluster's affair."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep Dask from logging to the user's terminal: what they need to know, we say."""
    distributed()  # which sets its levels when it is imported
    loggers = [logging.getLogger(name) for name in ("distributed", "distributed.client")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def _outcomes(client: Any, placement: Placement, tasks: list[ShardTask]) -> Iterator[Outcome]:
    futures = {client.submit(_work, task, placement, pure=False): task for task in tasks}
    for future in distributed().as_completed(futures):
        task = futures.pop(future)
        try:
            yield replace(future.result(), task=task)
        except (CancelledError, OSError) as error:
            raise StoreError(
                "the Dask scheduler is gone; finished shards are kept", hint="run the same command again"
            ) from error
        except Exception as error:  # noqa: BLE001 - whatever stood in the way of the task, on another machine
            yield Outcome(task, error=EncoderError(f"{type(error).__name__}: {error}"), again=True)


def _work(task: ShardTask, placement: Placement) -> Outcome:
    """Run a task where Dask put it, and tell how it goes."""
    worker: Any = distributed().get_worker()
    if placement.devices:
        device = placement.devices[int(worker.name) % len(placement.devices)]
        task = replace(task, settings=replace(task.settings, device=device))
    with _lanes:  # however many threads a user's workers have
        torch.set_num_threads(placement.threads or worker.state.nthreads)
        return attempt(task, lambda patches: worker.log_event(placement.topic, patches))
