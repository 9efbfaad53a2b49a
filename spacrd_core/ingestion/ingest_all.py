"""Ingest several sections, each as a task of an executor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spacrd_core.executors.local import Local
from spacrd_core.executors.run import run_in_order
from spacrd_core.executors.serial import Serial
from spacrd_core.ingestion.section_task import IngestTask
from spacrd_core.outputs import require_room
from spacrd_core.plugins import load_plugins
from spacrd_core.progress import Track, silent
from spacrd_core.store.failures import note_failures

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from spacrd_core.executors.pool import Executor
    from spacrd_core.executors.task import ResultT, Task
    from spacrd_core.ingestion.options import IngestOptions
    from spacrd_core.ingestion.put import Ingested
    from spacrd_core.plugins import Plugins
    from spacrd_core.store.store import SpotStore


def ingest_all(
    store: SpotStore,
    sections: Sequence[IngestOptions],
    plugins: Plugins,
    *,
    replace: bool = False,
    executor: Executor | None = None,
    on_failure: Callable[[IngestOptions, Exception], None] = lambda *_: None,
    track: Track = silent,
) -> tuple[list[Ingested], list[Exception]]:
    """Ingest several sections; return those in the store, and the errors of the others, which do not stop the rest.

    A capture area with regions gives a section for each of them. The store notes every section that failed until it is
    ingested. ``on_failure`` is called with each error and the options of its section.
    """
    local_plugins, local_track = Local(load_plugins, plugins), Local(no_track, track)
    tasks = [
        IngestTask(store=store.path, options=options, replace=replace, plugins=local_plugins, track=local_track)
        for options in sections
    ]
    ingested: list[Ingested] = []
    errors: list[Exception] = []
    require_room(store.path)
    for options, done, refused in each_outcome(sections, tasks, executor or Serial(), "ingesting", track):
        ingested += done
        for problem in refused:
            on_failure(options, problem)
        note_failures(store, "ingest", {options.section_id: refused[0] if refused else None})
        errors += refused
    return ingested, errors


def each_outcome(
    sections: Sequence[IngestOptions],
    tasks: Sequence[Task[tuple[list[ResultT], list[Exception]]]],
    executor: Executor,
    description: str,
    track: Track,
) -> Iterator[tuple[IngestOptions, list[ResultT], list[Exception]]]:
    """Run a task for every section; yield its options, its results, and its errors with a note of its path."""
    outcomes = run_in_order(executor, tasks, description, device="cpu", track=track)
    for options, outcome in zip(sections, outcomes, strict=True):
        done, refused = outcome.result or ([], [])
        refused = [outcome.error] if outcome.error else refused
        for problem in refused:
            if len(sections) > 1:
                problem.add_note(f"in {options.path}")
        yield options, done, refused


def no_track() -> Track:
    """Return the track of a worker, which has no terminal."""
    return silent
