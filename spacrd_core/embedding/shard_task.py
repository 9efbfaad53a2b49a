"""Embed one shard of one section: the unit of work of every executor, in any process and on any machine."""

from __future__ import annotations

import traceback
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from spacrd_core.devices import choose_device
from spacrd_core.embedding.encoder_cache import encoder_on_device
from spacrd_core.embedding.forward import choose_precision
from spacrd_core.embedding.pipeline import embed_rows
from spacrd_core.embedding.staging import Staging
from spacrd_core.embedding.timing import Clock
from spacrd_core.errors import EncoderError, SpacrdError, StoreError, UnknownSection
from spacrd_core.slide.patches import PatchPlan
from spacrd_core.store.locks import lock_file, try_lock
from spacrd_core.store.store import SpotStore

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from spacrd_core.cards import Recipe
    from spacrd_core.embedding.settings import Settings


@dataclass(frozen=True, kw_only=True)
class ShardTask:
    """All that a process needs to embed one shard; small, and valid wherever the store has the same path.

    Attributes
    ----------
    geometry
        Geometry of the section when the work was planned. If it has changed since, the shard is not written.
    encoder, options, recipe
        Name and options of the encoder, and the key of its recipe.
    wait
        Whether to wait for another process that has locked this shard.
    failures
        Number of failed tries.
    """

    store: Path
    section: str
    geometry: str
    encoder: str
    options: Mapping[str, Any]
    recipe: str
    rows: range
    staging: Path
    settings: Settings
    wait: bool = False
    failures: int = 0


@dataclass(frozen=True)
class Outcome:
    """The result of a task.

    Attributes
    ----------
    patches, seconds
        Number of patches that were embedded, and seconds by step. No patches and no error: the shard was done before.
    notes
        Sentences for the user.
    locked_elsewhere
        Whether another process is working on the shard.
    error, retryable
        Why the task failed, and whether the reason is unknown, so that another try may succeed.
    """

    task: ShardTask
    patches: int = 0
    seconds: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    locked_elsewhere: bool = False
    error: SpacrdError | None = None
    retryable: bool = False


def attempt_shard(task: ShardTask, report: Callable[[int], None] = lambda _: None) -> Outcome:
    """Embed a shard; return an error as an outcome, which can be sent to another process."""
    try:
        return embed_shard(task, report)
    except SpacrdError as error:
        return Outcome(task, error=error)
    except Exception as error:  # noqa: BLE001 - an encoder may be a third party's and raise anything
        unexpected = EncoderError(f"{type(error).__name__}: {error}")
        unexpected.add_note("".join(traceback.format_exception(error)))
        return Outcome(task, error=unexpected, retryable=True)


def embed_shard(task: ShardTask, report: Callable[[int], None] = lambda _: None) -> Outcome:
    """Embed a shard, write it, then enter it in the ledger.

    A shard that is done, or that another process has locked, is left as it is. ``report`` receives the number of
    patches of every finished batch.
    """
    staging = Staging(task.staging)
    with try_lock(lock_file(task.staging, str(task.rows.start)), wait=task.wait) as acquired:
        if not acquired:
            return Outcome(task, locked_elsewhere=True)
        if staging.is_done(task.rows):
            return Outcome(task)
        return _embed(task, staging, report)


def _embed(task: ShardTask, staging: Staging, report: Callable[[int], None]) -> Outcome:
    settings, device = task.settings, choose_device(task.settings.device)
    cached, clock = encoder_on_device(task.encoder, task.options, task.recipe, device), Clock(device)
    recipe = cached.encoder.recipe
    plan = _cached_plan(task.store, task.section, task.geometry, recipe)
    with clock.measure("adapt"):
        section = (task.store, task.section, task.geometry)
        encoder = cached.adapt(section, plan, device, reader_threads=settings.reader_threads)
    values = embed_rows(
        plan,
        task.rows,
        encoder,
        task.encoder,
        settings=settings,
        clock=clock,
        report=report,
        memory=cached.memory,
    )
    with clock.measure("write"):
        staging.write(task.rows, values, choose_precision(settings.precision, recipe, device))
    return Outcome(task, len(task.rows), dict(clock.seconds), tuple(clock.notes))


@lru_cache(maxsize=2)
def _cached_plan(store: Path, section: str, geometry: str, recipe: Recipe) -> PatchPlan:
    return plan_section(SpotStore(store), section, geometry, recipe)


def plan_section(store: SpotStore, section: str, geometry: str, recipe: Recipe) -> PatchPlan:
    """Return where the patches of a section are.

    Raises
    ------
    StoreError
        If the geometry of the section is no longer ``geometry``.
    """
    pyramid = store.pyramid(section)
    if pyramid is None:
        raise UnknownSection(f"section '{section}' has no image", hint="ingest it with --image FILE --replace")
    centres = store.spots(section)[["x_px", "y_px"]].to_numpy() * store.slide_scale(section)
    if store.entry(section).geometry != geometry:  # checked last: all that was read before belongs to this geometry
        raise StoreError(f"section '{section}' was replaced meanwhile", hint="run the command again")
    return PatchPlan.from_centres(pyramid, centres, patch_um=recipe.patch_um, patch_px=recipe.input_px)
