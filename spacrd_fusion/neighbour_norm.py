"""Normalisation before attention as in the released code: each feature is scaled over the neighbours of a centre."""

from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from spacrd_core.cohort.batch import Batch

MIN_LENGTH = 1e-12  # as in torch.nn.functional.normalize


def neighbour_scale(tokens: Float[Tensor, "spots width"], batch: Batch) -> Float[Tensor, "centres width"]:
    """Return for every centre the factors that give each feature unit length over its neighbourhood.

    A normalised token depends on the centre. Factors need no copy of the tokens for each neighbourhood.
    """
    squares = F.embedding_bag(
        batch.neighbours, tokens.square(), per_sample_weights=batch.present.to(tokens.dtype), mode="sum"
    )
    scale: Float[Tensor, "centres width"] = squares.clamp(min=MIN_LENGTH**2).rsqrt()
    return scale
