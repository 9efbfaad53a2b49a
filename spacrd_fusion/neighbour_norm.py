"""As the released code does before attention: a feature is scaled over the neighbours, not a spot over its features."""

from collections.abc import Mapping
from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from spacrd_core.cohort.batch import Batch

Tokens = dict[str, Float[Tensor, "spots width"]]


def scaled_over_neighbours(tokens: Mapping[str, Float[Tensor, "spots width"]], batch: Batch) -> tuple[Tokens, Batch]:
    """Return a copy of every neighbourhood's tokens, each feature of length 1 over it, and the batch that reads them.

    A token then depends on whose neighbour it is: it is kept once a neighbourhood, k times the memory.
    """
    present = batch.present[..., None]
    scaled = {
        name: F.normalize(torch.where(present, code[batch.neighbours], 0.0), dim=1).flatten(0, 1)
        for name, code in tokens.items()
    }
    own = torch.arange(batch.neighbours.numel(), device=batch.neighbours.device).view_as(batch.neighbours)
    return scaled, replace(batch, neighbours=own)
