"""The speed of an encoder on the device of this machine, from a timed batch of noise."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import torch

from spacrd_core.devices import choose_device
from spacrd_core.dry_run.plan import NOTHING_LEFT, Duration
from spacrd_core.dry_run.rates import READ_PATCH
from spacrd_core.embedding.encoder_cache import encoder_on_device
from spacrd_core.embedding.forward import choose_precision, run_encoder
from spacrd_core.embedding.pipeline import CPU_BATCH_SIZE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from spacrd_core.embedding.settings import Settings


def embedding_time(
    patches: int, name: str, options: Mapping[str, Any], recipe: str, settings: Settings, *, elsewhere: bool = False
) -> Duration:
    """Return the time of embedding patches; unknown if the work is done ``elsewhere``, on other devices."""
    if not patches:
        return Duration(0.0, NOTHING_LEFT)
    if elsewhere:
        return Duration(None, "the workers of the scheduler have their own devices")
    device = choose_device(settings.device)
    encoder = encoder_on_device(name, options, recipe, device).encoder
    size = min(settings.batch_size if device.type == "cuda" else CPU_BATCH_SIZE, max(patches, 1))
    side = encoder.recipe.input_px
    tiles = torch.randint(0, 256, (size, 3, side, side), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    precision = choose_precision(settings.precision, encoder.recipe, device)
    on_device = tiles.to(device)
    run_encoder(encoder, name, on_device[:1], precision=precision)  # the first pass loads what later ones have
    started = time.perf_counter()
    run_encoder(encoder, name, on_device, precision=precision).cpu()
    seconds = (time.perf_counter() - started) / size
    each_ms = f"{1000 * seconds:.{0 if seconds > 0.01 else 1}f} ms each"
    basis = f"{size} patches by '{name}', timed here on {device}: {each_ms}"
    return Duration(patches * (seconds + READ_PATCH), basis)
