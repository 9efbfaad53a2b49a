"""Embed the patches of a shard, and read the next ones from the slide while the encoder works."""

from __future__ import annotations

from collections import deque
from contextlib import closing
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from spacrd_core.devices import choose_device
from spacrd_core.embedding.batches import BatchRunner, MemoryLimit
from spacrd_core.embedding.forward import choose_precision
from spacrd_core.threads import prefetch_items

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from spacrd_core.arrays import Array
    from spacrd_core.embedding.encoder import Encoder
    from spacrd_core.embedding.settings import Settings
    from spacrd_core.embedding.timing import Clock
    from spacrd_core.slide.patches import PatchPlan

Item = TypeVar("Item")
CPU_BATCH_SIZE = 16
MAX_BATCHES_AHEAD = 2  # read, and waiting for the encoder


def embed_rows(  # noqa: PLR0913 - the parts of a shard
    plan: PatchPlan,
    rows: range,
    encoder: Encoder,
    name: str,
    *,
    settings: Settings,
    clock: Clock,
    report: Callable[[int], None],
    memory: MemoryLimit | None = None,
) -> Array:
    """Return the embeddings of contiguous rows, float32 (rows, dim), in the order of the rows.

    The encoder is already on ``settings.device``. ``report`` receives the number of patches of every finished batch.
    ``memory`` keeps for the next shard how many tiles fit the device.

    Raises
    ------
    ConfigError
        If the device does not support the requested precision.
    CorruptStore
        If the slide is damaged.
    EncoderError
        If a single patch does not fit the device's memory, or the embeddings do not match the recipe.
    """
    runner = _batch_runner(encoder, name, plan.side, settings, clock)
    values = np.empty((len(rows), encoder.recipe.dim), dtype=np.float32)
    requested, memory = runner.batch_size, memory or MemoryLimit()
    runner.batch_size = min(requested, memory.tiles or requested)
    batches = plan.cut(np.arange(rows.start, rows.stop), runner.batch_size, reader_threads=settings.reader_threads)
    with closing(prefetch_items(clock.measure_each("read", batches), max_ahead=MAX_BATCHES_AHEAD)) as ready:
        started = ((windows.rows, runner.start(windows)) for windows in clock.measure_each("wait", ready))
        for batch_rows, embeddings in _one_late(started):
            values[batch_rows - rows.start] = embeddings()
            report(len(batch_rows))
    if runner.batch_size < requested:
        memory.tiles = runner.batch_size
        clock.note(f"batches of {requested} patches do not fit {runner.device}: the batch size was {memory.tiles}")
    return values


def _batch_runner(encoder: Encoder, name: str, side: float, settings: Settings, clock: Clock) -> BatchRunner:
    device = choose_device(settings.device)
    precision = choose_precision(settings.precision, encoder.recipe, device)
    if device.type == "cuda" and settings.precision == "auto" and precision != encoder.recipe.precision:
        clock.note(
            f"{device} does not support {encoder.recipe.precision}: embedded in {precision}; --precision fp16 is faster"
        )
    batch_size = settings.batch_size if device.type == "cuda" else CPU_BATCH_SIZE
    return BatchRunner(encoder, name, side, device, precision, batch_size, clock, settings.compiled)


def _one_late(items: Iterable[Item]) -> Iterator[Item]:
    """Yield every item after the next one has arrived, so that a device has its next batch before we wait for one."""
    waiting: deque[Item] = deque()
    for item in items:
        waiting.append(item)
        if len(waiting) > 1:
            yield waiting.popleft()
    yield from waiting
