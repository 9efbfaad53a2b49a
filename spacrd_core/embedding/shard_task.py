"""One shard of one section: the unit of work of every executor, in whatever process or machine it lands."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import torch

from spacrd_core.devices import choose_device
from spacrd_core.embedding.adapt import adapted
from spacrd_core.embedding.batches import Room
from spacrd_core.embedding.forward import choose_precision
from spacrd_core.embedding.pipeline import embed_rows
from spacrd_core.embedding.staging import Staging
from spacrd_core.embedding.timing import Clock
from spacrd_core.errors import RecipeMismatch, StoreError, UnknownSection
from spacrd_core.plugins import load_plugins
from spacrd_core.slide.patches import PatchPlan
from spacrd_core.store.locks import hold, lock_of
from spacrd_core.store.store import SpotStore

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from spacrd_core.cards import Recipe
    from spacrd_core.embedding.encoder import Encoder
    from spacrd_core.embedding.settings import Settings
    from spacrd_core.errors import SpacrdError


@dataclass(frozen=True, kw_only=True)
class ShardTask:
    """What a process needs to embed one shard; small, and the same to any process that sees the store's folder.

    Attributes
    ----------
    geometry
        Of the section when the work was planned; if it has another by now, the shard is not written.
    encoder, options, recipe
        The encoder's name and options, and the key of the recipe it must then have.
    wait
        Whether to wait for another process that has this shard in hand.
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


@dataclass(frozen=True)
class Outcome:
    """What became of a task: patches embedded and seconds by part, or that another process has it, or an error.

    ``notes`` are sentences for the user; ``again`` says that nobody foresaw the error, so that another try may do.
    """

    task: ShardTask
    patches: int = 0
    seconds: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    busy: bool = False
    error: SpacrdError | None = None
    again: bool = False


def run_shard(task: ShardTask, count: Callable[[int], None] = lambda _: None) -> Outcome:
    """Embed a shard, write it, then enter it in the ledger; nothing where it is done or another process has it."""
    staging = Staging(task.staging)
    with hold(lock_of(task.staging, str(task.rows.start)), wait=task.wait) as mine:
        if not mine:
            return Outcome(task, busy=True)
        if staging.is_done(task.rows):
            return Outcome(task)
        device = choose_device(task.settings.device)
        kept, clock = _on_device(task, device), Clock(device)
        recipe = kept.encoder.recipe
        plan = _plan(task.store, task.section, task.geometry, recipe)
        with clock.part("adapt"):
            encoder = kept.adapted(task, plan, device)
        values = embed_rows(
            plan,
            task.rows,
            encoder,
            task.encoder,
            settings=task.settings,
            clock=clock,
            done=count,
            room=kept.room,
        )
        with clock.part("write"):
            staging.write(task.rows, values, choose_precision(task.settings.precision, recipe, device))
    return Outcome(task, len(task.rows), dict(clock.seconds), tuple(clock.notes))


@lru_cache(maxsize=2)
def _plan(store: Path, section: str, geometry: str, recipe: Recipe) -> PatchPlan:
    """Return the plan of a section, kept while its shards are worked on."""
    return plan_section(SpotStore(store), section, geometry, recipe)


def plan_section(store: SpotStore, section: str, geometry: str, recipe: Recipe) -> PatchPlan:
    """Return where the patches of a section lie.

    Raises
    ------
    StoreError
        If the section's slide or spots are others than those of ``geometry``.
    """
    pyramid = store.pyramid(section)
    if pyramid is None:
        raise UnknownSection(f"section '{section}' has no image", hint="ingest it with --image FILE --replace")
    centres = store.spots(section)[["x_px", "y_px"]].to_numpy() * store.slide_scale(section)
    if store.entry(section).geometry != geometry:  # asked last: all that was read before is what it stands for
        raise StoreError(f"section '{section}' was replaced meanwhile", hint="run the command again")
    return PatchPlan.of(pyramid, centres, patch_um=recipe.patch_um, patch_px=recipe.input_px)


@dataclass
class _Kept:
    """An encoder of this process, whether its network is there (it may be built for the first tiles), and its room.

    ``section`` is the encoder adapted to the last section, and which section that is.
    """

    encoder: Encoder
    built: bool = False
    room: Room = field(default_factory=Room)
    section: tuple[tuple[Path, str, str], Encoder] | None = None

    def adapted(self, task: ShardTask, plan: PatchPlan, device: torch.device) -> Encoder:
        """Return the encoder adapted to a task's section."""
        which, last = (task.store, task.section, task.geometry), self.section
        if last is None or last[0] != which:
            last = which, adapted(self.encoder, plan, device, readers=task.settings.readers)
            self.section = last
        return last[1]


_kept: dict[tuple[str, str], _Kept] = {}
_one_builds = threading.Lock()


def keep_encoder(encoder: Encoder, name: str, options: Mapping[str, Any]) -> None:
    """Let this process use an encoder that is there already instead of building it again."""
    _kept.clear()
    _kept[_key(name, options)] = _Kept(encoder)


def _on_device(task: ShardTask, device: torch.device) -> _Kept:
    """Return the task's encoder on its device; a process builds it once.

    Raises
    ------
    RecipeMismatch
        If the encoder is another here than where the work was planned.
    """
    key = _key(task.encoder, task.options)
    with _one_builds:
        if key not in _kept:
            keep_encoder(load_plugins().encoders.create(task.encoder, task.options), task.encoder, task.options)
        kept = _kept[key]
        encoder = kept.encoder.to(device)
        if encoder.recipe.key != task.recipe:
            raise RecipeMismatch(
                f"encoder '{task.encoder}' has another recipe in this worker than where the work was planned",
                hint="install the same SpaCRD, plugins and weights on all machines",
            )
        if device.type == "cuda" and not kept.built:
            side = encoder.recipe.input_px
            encoder.embed(torch.full((1, 3, side, side), 128, dtype=torch.uint8, device=device))
            kept.built = True
    return kept


def _key(name: str, options: Mapping[str, Any]) -> tuple[str, str]:
    return name, json.dumps(dict(options), sort_keys=True, default=str)
