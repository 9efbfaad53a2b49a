"""Embed the sections of a store: share their shards out, try again what failed, and say what became of them."""

from __future__ import annotations

import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from spacrd_core.embedding.executors.serial import Serial
from spacrd_core.embedding.parts import Part
from spacrd_core.embedding.section_job import Embedded, Job, Work
from spacrd_core.embedding.settings import Settings
from spacrd_core.embedding.shard_task import keep_encoder
from spacrd_core.embedding.staging import shards_of
from spacrd_core.errors import ConfigError, PluginError, RecipeMismatch, UnknownSection, WeightsError
from spacrd_core.plugins import Plugins, load_plugins
from spacrd_core.progress import Track, counted, silent
from spacrd_core.store.locks import at_work

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Mapping, Sequence

    from spacrd_core.embedding.encoder import Encoder
    from spacrd_core.embedding.executors.serial import Executor
    from spacrd_core.embedding.shard_task import Outcome, ShardTask
    from spacrd_core.store.folder import Names
    from spacrd_core.store.manifest import SectionEntry
    from spacrd_core.store.store import SpotStore


TRIES = 3
NOT_THE_SECTIONS_FAULT = (ConfigError, PluginError, RecipeMismatch, WeightsError)


@dataclass(frozen=True)
class Report:
    """What became of every section, and the seconds from the first shard to the last."""

    sections: tuple[Embedded, ...]
    wall_seconds: float

    @property
    def patches(self) -> int:
        """Patches embedded by this run."""
        return sum(item.patches for item in self.sections)

    @property
    def seconds(self) -> dict[str, float]:
        """Where the time went, all workers together."""
        total: Counter[str] = Counter()
        for item in self.sections:
            total.update(item.seconds)
        return dict(total)


def embed_sections(  # noqa: PLR0913 - the choices of the command
    store: SpotStore,
    name: str,
    encoder: Encoder,
    *,
    options: Mapping[str, Any] | None = None,
    sections: Names = None,
    settings: Settings | None = None,
    executor: Executor | None = None,
    part: Part | None = None,
    track: Track = silent,
) -> Report:
    """Embed every spot of the sections (default: all) that have an image and lack embeddings of this recipe.

    Workers in other processes build the encoder themselves, from its ``name`` and ``options``.

    Raises
    ------
    UnknownSection
        If none of the sections has an image.
    SpacrdError, ExceptionGroup
        If sections could not be embedded; the others are.
    """
    entries = store.choose(sections)
    keep_encoder(encoder, name, options or {})
    portable = encoder.Options.model_validate(options).portable() if options else {}
    work = Work(store, name, options or {}, portable, encoder.recipe, settings or Settings())
    with at_work(store.path / "embeddings"):
        jobs = {entry.id: Job(work, entry, shards) for entry, shards in _share(store, entries, part or Part())}
        tasks = [task for job in jobs.values() for task in job.begin()]
        begun = time.perf_counter()
        _run(executor or Serial(), jobs, tasks, f"embedding by {name}", track)
        seconds = time.perf_counter() - begun
    _raise_failures(list(jobs.values()))
    blind = [Embedded(entry.id, 0, {}, "no image") for entry in entries if entry.slide is None]
    results = sorted([*(job.result for job in jobs.values()), *blind], key=lambda item: item.section)
    return Report(tuple(results), seconds)


def _share(store: SpotStore, entries: Sequence[SectionEntry], part: Part) -> Iterator[tuple[SectionEntry, list[range]]]:
    """Yield the sections that have an image with this part's shards of them.

    All shards are counted, also those that are done: the parts must be the same whenever they begin.
    """
    seen = [entry for entry in entries if entry.slide]
    if not seen:
        raise UnknownSection(f"no section of {store.path} has an image", hint="ingest with --image FILE --replace")
    mine = part.share([(entry.id, rows) for entry in seen for rows in shards_of(entry.spots)])
    for entry in seen:
        shards = [rows for section, rows in mine if section == entry.id]
        if shards:
            yield entry, shards


def _run(executor: Executor, jobs: Mapping[str, Job], tasks: Sequence[ShardTask], doing: str, track: Track) -> None:
    """Let the jobs hear what became of their tasks."""
    if not tasks:
        return
    with (
        counted(track, doing, sum(len(task.rows) for task in tasks)) as count,
        closing(_settled(executor, jobs, tasks, count)) as outcomes,
    ):
        for outcome in outcomes:
            if isinstance(outcome.error, NOT_THE_SECTIONS_FAULT):
                raise outcome.error
            if not outcome.patches and not outcome.error:
                count(len(outcome.task.rows))  # another process was faster
            jobs[outcome.task.section].hear(outcome)


def _settled(
    executor: Executor, jobs: Mapping[str, Job], tasks: Sequence[ShardTask], count: Callable[[int], None]
) -> Generator[Outcome, None, None]:
    """Yield the last outcome of every task, but of those whose section has failed meanwhile.

    What failed for no known reason is tried again, and what another process had in hand is waited for, after all else.
    """
    tries: Counter[tuple[str, int]] = Counter()
    while tasks:
        later = []
        with closing(executor.run((task for task in tasks if not jobs[task.section].error), count)) as outcomes:
            for outcome in outcomes:
                task = outcome.task
                tries[task.section, task.rows.start] += outcome.again
                if outcome.busy:
                    later.append(replace(task, wait=True))
                elif outcome.again and tries[task.section, task.rows.start] < TRIES:
                    later.append(task)
                else:
                    yield outcome
        tasks = later


def _raise_failures(jobs: Sequence[Job]) -> None:
    errors = []
    for job in jobs:
        if job.error:
            job.error.add_note(f"section '{job.entry.id}'")
            errors.append(job.error)
    if len(errors) == 1:
        raise errors[0]
    if errors:
        raise ExceptionGroup(f"{len(errors)} of {len(jobs)} sections were not embedded; the others are", errors)


def embed(  # noqa: PLR0913 - the choices of the command
    store: SpotStore,
    encoder: str,
    *,
    options: Mapping[str, Any] | None = None,
    sections: Names = None,
    settings: Settings | None = None,
    executor: Executor | None = None,
    part: Part | None = None,
    plugins: Plugins | None = None,
    track: Track = silent,
) -> Report:
    """Embed every spot of the sections (default: all) that have an image, by an encoder chosen by name.

    >>> report = embed(store, "stain", settings=Settings(device="cpu"))
    >>> report.patches
    902

    What is done already is skipped. ``options`` are the encoder's own, as ``{"weights": "pytorch_model.bin"}``;
    ``settings`` say where it runs, and on how much at a time.

    Raises
    ------
    WeightsError
        If the encoder's weights are not to be had.
    SpacrdError, ExceptionGroup
        If sections could not be embedded; the others are.
    """
    encoders = (plugins or load_plugins()).encoders
    return embed_sections(
        store,
        encoders.canonical(encoder),
        encoders.create(encoder, options),
        options=options,
        sections=sections,
        settings=settings,
        executor=executor,
        part=part,
        track=track,
    )
