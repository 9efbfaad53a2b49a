"""Attention of a centre spot over its neighbourhood (SpaCRD, part 2).

Queries are computed for centres only, because the queries of neighbours are never used. Keys and values are computed
once per spot, because neighbourhoods overlap. Keys are gathered; values are summed without being copied.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from spacrd_core.cohort.batch import Batch


class CentreAttention(nn.Module):
    """Attention of each centre over its neighbourhood; the order and padding of the neighbours do not matter."""

    def __init__(self, width: int, *, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.dropout = dropout
        self.query = nn.Linear(width, width)
        self.key_value = nn.Linear(width, 2 * width)
        self.output = nn.Linear(width, width)
        self.norm = nn.LayerNorm(width)

    def forward(
        self, query_tokens: Float[Tensor, "spots width"], key_value_tokens: Float[Tensor, "spots width"], batch: Batch
    ) -> Float[Tensor, "centres width"]:
        """Return the attention output of each centre, with keys and values from its neighbourhood."""
        neighbours = batch.neighbours
        query = self.query(query_tokens[batch.centres]).unflatten(-1, (self.heads, -1))
        key_value = self.key_value(key_value_tokens).unflatten(-1, (2, self.heads, -1))
        key = key_value[:, 0].index_select(0, neighbours.flatten()).unflatten(0, neighbours.shape)
        scores = (query[:, None] * key).sum(dim=-1) * query.shape[-1] ** -0.5
        scores = scores.masked_fill(~batch.present[..., None], -torch.inf)
        weights = F.dropout(scores.softmax(dim=1), self.dropout, self.training)
        attended = weighted_values(key_value, neighbours, weights)
        output: Float[Tensor, "centres width"] = self.norm(self.output(attended.flatten(1)))
        return output


def weighted_values(
    key_value: Float[Tensor, "spots 2 heads d"],
    neighbours: Int[Tensor, "centres k"],
    weights: Float[Tensor, "centres k heads"],
) -> Float[Tensor, "centres heads d"]:
    """Return each head's weighted sum of the values in each neighbourhood, without copying the values."""
    heads = key_value.shape[2]
    rows = (2 * neighbours[:, None] + 1) * heads + torch.arange(heads, device=neighbours.device)[:, None]
    sums = F.embedding_bag(
        rows.flatten(0, 1), key_value.flatten(0, 2), per_sample_weights=weights.mT.flatten(0, 1), mode="sum"
    )
    by_head: Float[Tensor, "centres heads d"] = sums.unflatten(0, (-1, heads))
    return by_head


class NeighbourhoodFusion(nn.Module):
    """Fusion of the modalities of a neighbourhood into one feature vector per centre.

    With two modalities each attends to the other (bidirectional cross-attention). With one, it attends to itself.
    """

    def __init__(self, modalities: tuple[str, ...], *, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.key_value_modality = dict(zip(modalities, reversed(modalities), strict=True))
        self.attention = nn.ModuleDict(
            {name: CentreAttention(width, heads=heads, dropout=dropout) for name in modalities}
        )
        self.project = nn.Linear(len(modalities) * width, width)
        # A learned scale would let the model reduce the reconstruction error by shrinking the fused features.
        self.norm = nn.LayerNorm(width, elementwise_affine=False)

    def forward(self, tokens: dict[str, Float[Tensor, "spots width"]], batch: Batch) -> Float[Tensor, "centres width"]:
        attended = [
            self.attention[query](tokens[query], tokens[key_value], batch)
            for query, key_value in self.key_value_modality.items()
        ]
        fused: Float[Tensor, "centres width"] = self.norm(self.project(torch.cat(attended, dim=-1)))
        return fused
