"""Contrastive alignment: both modalities of a spot are encoded to nearby points of one space (SpaCRD, part 1)."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F


class SpotNorm(nn.BatchNorm1d):
    """Batch normalisation that, in training too, reads a batch of one spot by the running statistics."""

    def forward(self, features: Float[Tensor, "spots d"]) -> Float[Tensor, "spots d"]:
        if len(features) > 1 or not self.training:
            return super().forward(features)
        return F.batch_norm(features, self.running_mean, self.running_var, self.weight, self.bias, eps=self.eps)


class SpotEncoder(nn.Sequential):
    """An MLP that encodes one modality spot by spot; hidden layers have batch norm, ReLU and dropout."""

    def __init__(self, features: int, *, hidden: Sequence[int], width: int, dropout: float) -> None:
        layers: list[nn.Module] = []
        for before, after in pairwise((features, *hidden)):
            layers += [nn.Linear(before, after), SpotNorm(after), nn.ReLU(), nn.Dropout(dropout)]
        super().__init__(*layers, nn.Linear((features, *hidden)[-1], width))


def info_nce(
    one: Float[Tensor, "spots width"], other: Float[Tensor, "spots width"], *, temperature: float, alpha: float
) -> Float[Tensor, ""]:
    """Return the symmetric contrastive loss of two codes of the same spots.

    By cosine, a spot's code in ``one`` is to be nearest its own code in ``other`` among all spots; ``alpha`` weighs
    that direction and ``1 - alpha`` the other (van den Oord et al. 2018, Radford et al. 2021).
    """
    likeness = F.normalize(one, dim=-1) @ F.normalize(other, dim=-1).T / temperature
    own = torch.arange(len(likeness), device=likeness.device)
    return alpha * F.cross_entropy(likeness, own) + (1 - alpha) * F.cross_entropy(likeness.T, own)
