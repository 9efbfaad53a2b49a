"""Let an encoder look at a section before it embeds it: what its laboratory did to all tiles shows in no single one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from spacrd_core.embedding.encoder import AdaptiveEncoder
from spacrd_core.embedding.forward import tiles_of

if TYPE_CHECKING:
    from spacrd_core.embedding.encoder import Encoder
    from spacrd_core.slide.patches import PatchPlan

SAMPLE, SEED, BATCH = 256, 0, 64


def adapted(encoder: Encoder, plan: PatchPlan, device: torch.device, *, readers: int = 1) -> Encoder:
    """Return the encoder adapted to a section by a sample of its tiles; itself where it does not ask for one.

    The sample depends on the number of spots alone, so that every process that embeds a part of the section takes the
    same.
    """
    if not isinstance(encoder, AdaptiveEncoder):
        return encoder
    recipe, spots = encoder.recipe, len(plan.corners)
    rows = np.sort(np.random.default_rng(SEED).permutation(spots)[:SAMPLE])
    parts = [
        tiles_of(windows, side=plan.side, input_px=recipe.input_px, device=device, resize=recipe.resize)
        for windows in plan.cut(rows, BATCH, readers=readers)
    ]
    return encoder.adapt(torch.cat(parts))
