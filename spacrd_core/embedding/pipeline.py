"""The patches of a shard on their way from the slide through an encoder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from spacrd_core.devices import choose_device
from spacrd_core.embedding.forward import CPU_TILES, run_encoder, tiles_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from spacrd_core.embedding.clock import Clock
    from spacrd_core.embedding.encoder import Encoder
    from spacrd_core.embedding.settings import Settings
    from spacrd_core.slide.patches import PatchPlan

Array = np.ndarray[Any, Any]


def embed_rows(
    plan: PatchPlan,
    rows: range,
    encoder: Encoder,
    name: str,
    *,
    settings: Settings,
    clock: Clock,
    done: Callable[[int], None],
) -> Array:
    """Return the embeddings of contiguous rows, float32 (rows, dim), in their order whatever the order of reading.

    The encoder is on ``settings.device`` already. ``done`` hears of every batch how many patches it had.

    Raises
    ------
    EncoderError
        If one patch alone does not fit the device's memory, or the encoder gives what its recipe does not say.
    """
    device = choose_device(settings.device)
    values = np.empty((len(rows), encoder.recipe.dim), dtype=np.float32)
    for windows in clock.each("read", plan.cut(np.arange(rows.start, rows.stop), settings.batch_size)):
        with clock.part("resample"):
            tiles = tiles_of(windows, side=plan.side, input_px=encoder.recipe.input_px, device=device)
        with clock.part("encode"):
            at_once = settings.batch_size if tiles.is_cuda else CPU_TILES
            values[windows.rows - rows.start] = run_encoder(encoder, name, tiles, at_once=at_once).numpy()
        done(len(windows.rows))
    return values
