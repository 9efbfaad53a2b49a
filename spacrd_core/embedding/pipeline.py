"""The patches of a shard on their way from the slide through an encoder, read while it works."""

from __future__ import annotations

from collections import deque
from contextlib import closing
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from spacrd_core.devices import choose_device
from spacrd_core.embedding.batches import Passes, Room
from spacrd_core.embedding.forward import choose_precision
from spacrd_core.threads import prefetched

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from spacrd_core.arrays import Array
    from spacrd_core.embedding.encoder import Encoder
    from spacrd_core.embedding.settings import Settings
    from spacrd_core.embedding.timing import Clock
    from spacrd_core.slide.patches import PatchPlan

Item = TypeVar("Item")
CPU_TILES = 16
READY = 2  # batches that may wait for the encoder


def embed_rows(  # noqa: PLR0913 - what a shard is made of
    plan: PatchPlan,
    rows: range,
    encoder: Encoder,
    name: str,
    *,
    settings: Settings,
    clock: Clock,
    done: Callable[[int], None],
    room: Room | None = None,
) -> Array:
    """Return the embeddings of contiguous rows, float32 (rows, dim), in their order whatever the order of reading.

    The encoder is on ``settings.device`` already. ``done`` hears of every batch how many patches it had;
    ``room`` keeps for the next shard how many tiles fit the memory.

    Raises
    ------
    ConfigError
        If the device has not the precision that was asked for.
    CorruptStore
        If the slide is damaged.
    EncoderError
        If one patch alone does not fit the device's memory, or the encoder gives what its recipe does not say.
    """
    passes = _passes(encoder, name, plan.side, settings, clock)
    values = np.empty((len(rows), encoder.recipe.dim), dtype=np.float32)
    asked, room = passes.at_once, room or Room()
    passes.at_once = min(asked, room.tiles or asked)
    windows = plan.cut(np.arange(rows.start, rows.stop), passes.at_once, readers=settings.readers)
    with closing(prefetched(clock.each("read", windows), most=READY)) as ready:
        for part, embeddings in _one_late((some.rows, passes.begin(some)) for some in clock.each("wait", ready)):
            values[part - rows.start] = embeddings()
            done(len(part))
    if passes.at_once < asked:
        room.tiles = passes.at_once
        clock.note(f"{asked} patches at once do not fit {passes.device}: embedded {passes.at_once} at a time")
    return values


def _passes(encoder: Encoder, name: str, side: float, settings: Settings, clock: Clock) -> Passes:
    device = choose_device(settings.device)
    precision = choose_precision(settings.precision, encoder.recipe, device)
    if device.type == "cuda" and settings.precision == "auto" and precision != encoder.recipe.precision:
        clock.note(f"{device} has no {encoder.recipe.precision}: embedded in {precision}; --precision fp16 is faster")
    at_once = settings.batch_size if device.type == "cuda" else CPU_TILES
    return Passes(encoder, name, side, device, precision, at_once, clock, settings.compiled)


def _one_late(items: Iterable[Item]) -> Iterator[Item]:
    """Yield every item when the next one is there: a device has its next batch before the last one is asked for."""
    waiting: deque[Item] = deque()
    for item in items:
        waiting.append(item)
        if len(waiting) > 1:
            yield waiting.popleft()
    yield from waiting
