"""Attention of a centre spot over its neighbourhood (SpaCRD, part 2).

Only the centre's query is ever used, and neighbourhoods overlap: so queries are made for centres alone, and keys and
values once a spot, then gathered.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from spacrd_core.learning.head import Batch


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
        centres, k = batch.neighbours.shape
        query = self.query(asking[batch.centres]).view(centres, self.heads, 1, -1)
        around = self.key_value(asked).index_select(0, batch.neighbours.reshape(-1))
        key, value = around.view(centres, k, 2, self.heads, -1).permute(2, 0, 3, 1, 4)
        found = F.scaled_dot_product_attention(
            query, key, value, attn_mask=batch.present[:, None, None], dropout_p=self.dropout if self.training else 0.0
        )
        mixed: Float[Tensor, "centres width"] = self.norm(self.output(found.reshape(centres, -1)))
        return mixed


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
