"""Attention of a centre spot over its neighbourhood (SpaCRD, part 2).

Queries are computed for centres only, because the queries of neighbours are never used. Keys and values are computed
once per spot, because neighbourhoods overlap. Keys are gathered; values are summed without being copied.

Tokens that are scaled for each centre would have keys and values for each neighbourhood. They are never computed: a
query times the key weights is compared with the tokens, and the value weights multiply the weighted sum of the tokens.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from spacrd_core.cohort.batch import Batch

Scales = tuple[Float[Tensor, "centres width"], Float[Tensor, "centres width"]]


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
        self,
        query_tokens: Float[Tensor, "spots width"],
        key_value_tokens: Float[Tensor, "spots width"],
        batch: Batch,
        scales: Scales | None = None,
    ) -> Float[Tensor, "centres width"]:
        """Return the attention output of each centre, with keys and values from its neighbourhood.

        ``scales`` are the factors of the tokens of each centre's neighbourhood: of queries, and of keys and values.
        """
        centres = query_tokens[batch.centres]
        query = self.query(centres if scales is None else centres * scales[0]).unflatten(-1, (self.heads, -1))
        if scales is None:
            attended = self._attend(query, key_value_tokens, batch)
        else:
            attended = self._attend_scaled(query, key_value_tokens, scales[1], batch)
        output: Float[Tensor, "centres width"] = self.norm(self.output(attended.flatten(1)))
        return output

    def _attend(
        self, query: Float[Tensor, "centres heads d"], tokens: Float[Tensor, "spots width"], batch: Batch
    ) -> Float[Tensor, "centres heads d"]:
        neighbours = batch.neighbours
        key_value = self.key_value(tokens).unflatten(-1, (2, self.heads, -1))
        key = key_value[:, 0].index_select(0, neighbours.flatten()).unflatten(0, neighbours.shape)
        weights = self._weights((query[:, None] * key).sum(dim=-1), batch)
        return weighted_values(key_value, neighbours, weights)

    def _attend_scaled(
        self,
        query: Float[Tensor, "centres heads d"],
        tokens: Float[Tensor, "spots width"],
        scale: Float[Tensor, "centres width"],
        batch: Batch,
    ) -> Float[Tensor, "centres heads d"]:
        key_weight, value_weight = self.key_value.weight.unflatten(0, (2, self.heads, -1))
        value_bias = self.key_value.bias.unflatten(0, (2, self.heads, -1))[1]
        near = tokens.index_select(0, batch.neighbours.flatten()).unflatten(0, batch.neighbours.shape)
        # The bias of the keys adds the same to the score of every neighbour, which softmax ignores.
        along = torch.einsum("chd,hdw->chw", query, key_weight) * scale[:, None]
        weights = self._weights(torch.einsum("ckw,chw->ckh", near, along), batch)
        summed = torch.einsum("ckh,ckw->chw", weights, near) * scale[:, None]
        values = torch.einsum("chw,hdw->chd", summed, value_weight)
        attended: Float[Tensor, "centres heads d"] = values + weights.sum(dim=1)[..., None] * value_bias
        return attended

    def _weights(self, products: Float[Tensor, "centres k heads"], batch: Batch) -> Float[Tensor, "centres k heads"]:
        """The weights of the neighbours, from the products of the query with their keys."""
        scores = products * (self.query.out_features // self.heads) ** -0.5
        scores = scores.masked_fill(~batch.present[..., None], -torch.inf)
        return F.dropout(scores.softmax(dim=1), self.dropout, self.training)


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

    def forward(
        self,
        tokens: dict[str, Float[Tensor, "spots width"]],
        batch: Batch,
        scales: dict[str, Float[Tensor, "centres width"]] | None = None,
    ) -> Float[Tensor, "centres width"]:
        """Return the fused features; ``scales`` are factors of the tokens of each centre's neighbourhood."""
        attended = [
            self.attention[query](
                tokens[query], tokens[key_value], batch, (scales[query], scales[key_value]) if scales else None
            )
            for query, key_value in self.key_value_modality.items()
        ]
        fused: Float[Tensor, "centres width"] = self.norm(self.project(torch.cat(attended, dim=-1)))
        return fused
