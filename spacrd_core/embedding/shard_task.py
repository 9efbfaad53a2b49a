"""Embed one shard of one section: the unit of work of every executor, in any process and on any machine."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import torch

from spacrd_core.devices import choose_device
from spacrd_core.embedding.encoder_cache import encoder_on_device
from spacrd_core.embedding.forward import choose_precision
from spacrd_core.embedding.pipeline import embed_rows
from spacrd_core.embedding.staging import Staging
from spacrd_core.embedding.timing import Clock
from spacrd_core.errors import StoreError, UnknownSection
from spacrd_core.executors.task import Later, Worker
from spacrd_core.slide.patches import PatchPlan
from spacrd_core.store.locks import lock_file, try_lock
from spacrd_core.store.store import SpotStore
from spacrd_core.system_errors import explained

if TYPE_CHECKING:
    from collections.abc import Mapping
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

    def run(self, worker: Worker) -> Embedded | Later[ShardTask]:
        """Embed the shard, write it, then enter it in the ledger; the worker's report gets the patches of every batch.

        A shard that is done, or that another process has locked, is left as it is.
        """
        if worker.threads:
            torch.set_num_threads(worker.threads)
        staging = Staging(self.staging)
        piece = lock_file(self.staging, str(self.rows.start))
        with explained(self.store), try_lock(piece, wait=self.wait) as acquired:
            if not acquired:
                return Later(replace(self, wait=True))
            return Embedded() if staging.is_done(self.rows) else _embed(self, staging, worker)


@dataclass(frozen=True)
class Embedded:
    """The result of a task: number of patches, seconds by step, and sentences for the user.

    No patches: the shard was done before.
    """

    patches: int = 0
    seconds: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def _embed(task: ShardTask, staging: Staging, worker: Worker) -> Embedded:
    settings, device = task.settings, choose_device(worker.device)
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
        report=worker.report,
        memory=cached.memory,
    )
    with clock.measure("write"):
        staging.write(task.rows, values, choose_precision(settings.precision, recipe, device))
    return Embedded(len(task.rows), dict(clock.seconds), tuple(clock.notes))


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
        raise StoreError(f"section '{section}' was replaced while this command ran", hint="run the command again")
    return PatchPlan.from_centres(pyramid, centres, patch_um=recipe.patch_um, patch_px=recipe.input_px)
