"""Fusion without attention, the ablation: the modalities of the centre spot, concatenated, without its neighbours."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from spacrd_core.cohort.batch import Batch


class CentreFusion(nn.Module):
    """Fusion of the modalities of each centre, without its neighbours, into one feature vector."""

    def __init__(self, modalities: tuple[str, ...], *, width: int) -> None:
        super().__init__()
        self.modalities = modalities
        self.project = nn.Linear(len(modalities) * width, width)
        self.norm = nn.LayerNorm(width, elementwise_affine=False)

    def forward(
        self,
        tokens: dict[str, Float[Tensor, "spots width"]],
        batch: Batch,
        scales: dict[str, Float[Tensor, "centres width"]] | None = None,
    ) -> Float[Tensor, "centres width"]:
        """Return the fused features; ``scales`` are factors of the tokens of each centre."""
        centres = {name: tokens[name][batch.centres] for name in self.modalities}
        scaled = [centre * scales[name] if scales else centre for name, centre in centres.items()]
        fused: Float[Tensor, "centres width"] = self.norm(self.project(torch.cat(scaled, dim=-1)))
        return fused
