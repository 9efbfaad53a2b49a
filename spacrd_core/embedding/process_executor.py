"""A crew of worker processes on this machine, one a GPU; who is killed is replaced, and what they had is done again."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from multiprocessing.connection import wait
from typing import TYPE_CHECKING, Any

from spacrd_core.embedding.executors import devices_of, lanes_of, threads_for, usual_workers
from spacrd_core.embedding.process_worker import Worker
from spacrd_core.embedding.shards import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from spacrd_core.embedding.executors import Outcomes
    from spacrd_core.embedding.shards import ShardTask


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
