"""``embed``: embeddings of every spot of a store's sections, by one encoder."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from spacrd_core.embedding.resolution import coarse_slides_warning
from spacrd_core.embedding.section_job import EmbedRequest, SectionJob, SectionReport
from spacrd_core.embedding.settings import Settings
from spacrd_core.embedding.staging import shard_ranges
from spacrd_core.errors import ConfigError, PluginError, RecipeMismatch, UnknownSection, WeightsError
from spacrd_core.executors.parts import Part
from spacrd_core.executors.run import run_tasks
from spacrd_core.executors.serial import Serial
from spacrd_core.outputs import require_room
from spacrd_core.plugins import Plugins, load_plugins
from spacrd_core.progress import Track, counted, silent
from spacrd_core.store.claims import remove_left_locks
from spacrd_core.store.failures import note_failures
from spacrd_core.store.locks import mark_in_use
from spacrd_core.system_errors import explained

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from spacrd_core.executors.pool import Executor
    from spacrd_core.store.folder import SectionNames
    from spacrd_core.store.manifest import SectionEntry
    from spacrd_core.store.store import SpotStore


BYTES_A_VALUE = 4
ERRORS_OF_ALL_SECTIONS = (ConfigError, PluginError, RecipeMismatch, WeightsError)


@dataclass(frozen=True)
class Report:
    """The result of every section, and the seconds from the first shard to the last."""

    sections: tuple[SectionReport, ...]
    wall_seconds: float

    @property
    def patches(self) -> int:
        """Number of patches that were embedded."""
        return sum(section.patches for section in self.sections)

    @property
    def seconds(self) -> dict[str, float]:
        """Seconds by step, summed over all workers."""
        total: Counter[str] = Counter()
        for section in self.sections:
            total.update(section.seconds)
        return dict(total)


def embed(  # noqa: PLR0913 - the options of the command
    store: SpotStore,
    encoder: str,
    *,
    options: Mapping[str, Any] | None = None,
    sections: SectionNames = None,
    settings: Settings | None = None,
    executor: Executor | None = None,
    part: Part | None = None,
    latest: bool = True,
    again: bool = False,
    plugins: Plugins | None = None,
    on_warning: Callable[[str], None] = lambda _: None,
    track: Track = silent,
) -> Report:
    """Embed every spot of the sections (default: all) that have an image, by an encoder chosen by name.

    >>> report = embed(store, "stain", settings=Settings(device="cpu"))
    >>> report.patches
    902

    Shards that are done are skipped. With ``again``, embeddings that are done are made anew, and stay valid until all
    shards of the section are; an interrupted run is continued. The embeddings become the ones that the encoder's name
    selects, unless ``latest`` is false and there are others by this encoder. ``options`` are the encoder's, such as
    ``{"weights": "pytorch_model.bin"}``; ``settings`` choose the device and the batch size. Workers in other processes
    build the encoder from its name and options. ``on_warning`` receives a sentence, before the first patch, if slides
    are too coarse for the encoder.

    Raises
    ------
    UnknownSection
        If none of the sections has an image.
    WeightsError
        If the encoder's weights are not available.
    SpacrdError, ExceptionGroup
        If sections could not be embedded; the others are.
    """
    request = make_request(store, encoder, options, settings, latest=latest, again=again, plugins=plugins)
    entries = store.choose(sections)
    require_room(store.path)
    with explained(store.path), mark_in_use(store.inside("embeddings")):
        for entry in entries:
            remove_left_locks(store, entry.id)
        jobs = jobs_of_part(request, entries, part or Part())
        seconds = _run(jobs, executor or Serial(), on_warning, track)
    note_failures(store, "embed", {name: job.error for name, job in jobs.items() if job.error or job.is_published})
    _raise_errors(list(jobs.values()))
    without_image = [SectionReport(entry.id, 0, {}, "no image") for entry in entries if entry.slide is None]
    reports = [*(job.report for job in jobs.values()), *without_image]
    return Report(tuple(sorted(reports, key=lambda report: report.section)), seconds)


def make_request(
    store: SpotStore,
    encoder: str,
    options: Mapping[str, Any] | None = None,
    settings: Settings | None = None,
    *,
    latest: bool = True,
    again: bool = False,
    plugins: Plugins | None = None,
) -> EmbedRequest:
    """Return what is the same for all sections; the encoder is built, and this process keeps it."""
    encoders = (plugins or load_plugins()).encoders
    name, instance, options = encoders.canonical(encoder), encoders.create(encoder, options), options or {}
    from spacrd_core.embedding.encoder_cache import cache_encoder  # noqa: PLC0415 - imports torch

    cache_encoder(instance, name, options)
    portable = instance.Options.model_validate(options).portable() if options else {}
    return EmbedRequest(store, name, options, portable, instance.recipe, settings or Settings(), latest, again)


def jobs_of_part(request: EmbedRequest, entries: Sequence[SectionEntry], part: Part) -> dict[str, SectionJob]:
    """Return the jobs of the sections that have shards in this part, by section.

    Raises
    ------
    UnknownSection
        If none of the sections has an image.
    """
    shards = _shards_of_part(request.store, entries, part)
    return {entry.id: SectionJob(request, entry, ranges) for entry, ranges in shards}


def _shards_of_part(
    store: SpotStore, entries: Sequence[SectionEntry], part: Part
) -> Iterator[tuple[SectionEntry, list[range]]]:
    """Yield the sections that have an image, with their shards in this part.

    Finished shards count as well: parts that start at different times must be disjoint.
    """
    with_image = [entry for entry in entries if entry.slide]
    if not with_image:
        raise UnknownSection(f"no section of {store.path} has an image", hint="ingest with --image FILE --replace")
    chosen: defaultdict[str, list[range]] = defaultdict(list)
    for section, rows in part.select([(entry.id, rows) for entry in with_image for rows in shard_ranges(entry.spots)]):
        chosen[section].append(rows)
    yield from ((entry, chosen[entry.id]) for entry in with_image if entry.id in chosen)


def _run(jobs: Mapping[str, SectionJob], executor: Executor, on_warning: Callable[[str], None], track: Track) -> float:
    """Run the tasks of all jobs and return the seconds that they take."""
    tasks = [task for job in jobs.values() for task in job.start()]
    if warning := coarse_slides(jobs):
        on_warning(warning)
    started = time.perf_counter()
    if tasks:
        request = next(iter(jobs.values())).request
        require_room(request.store.path, sum(len(task.rows) for task in tasks) * request.recipe.dim * BYTES_A_VALUE)
        description, patches = f"embedding by {tasks[0].encoder}", sum(len(task.rows) for task in tasks)
        with counted(track, description, patches) as count:
            open_pool = partial(executor.open, tasks[0].settings.device, count, overlap=True)
            with closing(run_tasks(open_pool, tasks, lambda task: jobs[task.section].error is not None)) as outcomes:
                for outcome in outcomes:
                    if isinstance(outcome.error, ERRORS_OF_ALL_SECTIONS):
                        raise outcome.error
                    if outcome.result and not outcome.result.patches:
                        count(len(outcome.task.rows))  # another process has embedded them
                    jobs[outcome.task.section].record(outcome)
    return time.perf_counter() - started


def coarse_slides(jobs: Mapping[str, SectionJob]) -> str:
    """Return a warning if slides that are to be embedded are too coarse for the encoder; '' otherwise."""
    request = next((job.request for job in jobs.values()), None)
    um_per_px = {name: job.um_per_px for name, job in jobs.items()}
    return coarse_slides_warning(um_per_px, request.encoder, request.recipe) if request else ""


def _raise_errors(jobs: Sequence[SectionJob]) -> None:
    errors = []
    for job in jobs:
        if job.error:
            job.error.add_note(f"section '{job.entry.id}'")
            errors.append(job.error)
    if len(errors) == 1:
        raise errors[0]
    if errors:
        raise ExceptionGroup(f"{len(errors)} of {len(jobs)} sections were not embedded; the others are", errors)
