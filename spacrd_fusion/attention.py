"""Attention of a centre spot over its neighbourhood (SpaCRD, part 2).

Only the centre's query is ever used, and neighbourhoods overlap: so queries are made for centres alone, and keys and
values once a spot. Keys are gathered, values summed where they lie.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from spacrd_core.cohort.batch import Batch


class CentreAttention(nn.Module):
    """Let every centre attend to the tokens of its neighbourhood; order and padding of the neighbours do not matter."""

    def __init__(self, width: int, *, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.dropout = dropout
        self.query = nn.Linear(width, width)
        self.key_value = nn.Linear(width, 2 * width)
        self.output = nn.Linear(width, width)
        self.norm = nn.LayerNorm(width)

    def forward(
        self, asking: Float[Tensor, "spots width"], asked: Float[Tensor, "spots width"], batch: Batch
    ) -> Float[Tensor, "centres width"]:
        """Return what the centres' ``asking`` tokens find in the ``asked`` tokens around them."""
        around = batch.neighbours
        query = self.query(asking[batch.centres]).unflatten(-1, (self.heads, -1))
        key_value = self.key_value(asked).unflatten(-1, (2, self.heads, -1))
        key = key_value[:, 0].index_select(0, around.flatten()).unflatten(0, around.shape)
        likeness = (query[:, None] * key).sum(dim=-1) * query.shape[-1] ** -0.5
        likeness = likeness.masked_fill(~batch.present[..., None], -torch.inf)
        weights = F.dropout(likeness.softmax(dim=1), self.dropout, self.training)
        found = weighted_values(key_value, around, weights)
        mixed: Float[Tensor, "centres width"] = self.norm(self.output(found.flatten(1)))
        return mixed


def weighted_values(
    key_value: Float[Tensor, "spots 2 heads d"],
    around: Int[Tensor, "centres k"],
    weights: Float[Tensor, "centres k heads"],
) -> Float[Tensor, "centres heads d"]:
    """Return each head's weighted sum of the values around every centre; they are read where they lie, not copied."""
    heads = key_value.shape[2]
    rows = (2 * around[:, None] + 1) * heads + torch.arange(heads, device=around.device)[:, None]
    found = F.embedding_bag(
        rows.flatten(0, 1), key_value.flatten(0, 2), per_sample_weights=weights.mT.flatten(0, 1), mode="sum"
    )
    by_head: Float[Tensor, "centres heads d"] = found.unflatten(0, (-1, heads))
    return by_head


class NeighbourhoodFusion(nn.Module):
    """Fuse the modalities of a neighbourhood into one feature a centre.

    With two modalities each attends to the other (bidirectional cross-attention). With one, it attends to itself.
    """

    def __init__(self, modalities: tuple[str, ...], *, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.asked = dict(zip(modalities, reversed(modalities), strict=True))
        self.attention = nn.ModuleDict(
            {asking: CentreAttention(width, heads=heads, dropout=dropout) for asking in modalities}
        )
        self.project = nn.Linear(len(modalities) * width, width)
        # No scale of its own: reconstruction could otherwise be made easy by shrinking what is reconstructed.
        self.norm = nn.LayerNorm(width, elementwise_affine=False)

    def forward(self, tokens: dict[str, Float[Tensor, "spots width"]], batch: Batch) -> Float[Tensor, "centres width"]:
        found = [self.attention[asking](tokens[asking], tokens[asked], batch) for asking, asked in self.asked.items()]
        fused: Float[Tensor, "centres width"] = self.norm(self.project(torch.cat(found, dim=-1)))
        return fused
