"""Adapt an encoder to a section from a sample of its tiles, for effects of a laboratory that no single tile shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from spacrd_core.embedding.encoder import AdaptiveEncoder
from spacrd_core.embedding.forward import tiles_from_windows

if TYPE_CHECKING:
    from spacrd_core.embedding.encoder import Encoder
    from spacrd_core.slide.patches import PatchPlan

SAMPLE_TILES, SAMPLE_SEED, BATCH_TILES = 256, 0, 64


def adapt_to_section(encoder: Encoder, plan: PatchPlan, device: torch.device, *, reader_threads: int = 1) -> Encoder:
    """Return the encoder adapted to a section by a sample of its tiles; an encoder that does not adapt is unchanged.

    The sample depends only on the number of spots, so that all processes that embed the section use the same one.
    """
    if not isinstance(encoder, AdaptiveEncoder):
        return encoder
    recipe, spots = encoder.recipe, len(plan.corners)
    rows = np.sort(np.random.default_rng(SAMPLE_SEED).permutation(spots)[:SAMPLE_TILES])
    batches = [
        tiles_from_windows(windows, side=plan.side, input_px=recipe.input_px, device=device, resize=recipe.resize)
        for windows in plan.cut(rows, BATCH_TILES, reader_threads=reader_threads)
    ]
    return encoder.adapt(torch.cat(batches))
