"""Normalisation before attention as in the released code: each feature is scaled over the neighbours of a centre."""

from collections.abc import Mapping
from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from spacrd_core.cohort.batch import Batch

Tokens = dict[str, Float[Tensor, "spots width"]]


def normalise_over_neighbours(tokens: Mapping[str, Float[Tensor, "spots width"]], batch: Batch) -> tuple[Tokens, Batch]:
    """Return the tokens of each neighbourhood, with every feature of unit length over it, and the batch to index them.

    A normalised token depends on the centre, so each neighbourhood has its own copy, which takes k times the memory.
    """
    present, spots = batch.present[..., None], batch.neighbours.flatten()
    scaled = {
        name: F.normalize(
            torch.where(present, code.index_select(0, spots).unflatten(0, batch.neighbours.shape), 0.0), dim=1
        ).flatten(0, 1)
        for name, code in tokens.items()
    }
    indices = torch.arange(batch.neighbours.numel(), device=batch.neighbours.device).view_as(batch.neighbours)
    return scaled, replace(batch, neighbours=indices)
