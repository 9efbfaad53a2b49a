"""What attention is measured against: the modalities of the centre spot side by side, its neighbours unseen."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from spacrd_core.cohort.batch import Batch


class CentreFusion(nn.Module):
    """Fuse the modalities of a spot alone into one feature."""

    def __init__(self, modalities: tuple[str, ...], *, width: int) -> None:
        super().__init__()
        self.modalities = modalities
        self.project = nn.Linear(len(modalities) * width, width)
        self.norm = nn.LayerNorm(width, elementwise_affine=False)

    def forward(self, tokens: dict[str, Float[Tensor, "spots width"]], batch: Batch) -> Float[Tensor, "centres width"]:
        own = torch.cat([tokens[name][batch.centres] for name in self.modalities], dim=-1)
        fused: Float[Tensor, "centres width"] = self.norm(self.project(own))
        return fused
