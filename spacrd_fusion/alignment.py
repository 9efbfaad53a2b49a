"""Contrastive alignment: encode both modalities of a spot to nearby points of one space (SpaCRD, part 1)."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F


class SpotNorm(nn.BatchNorm1d):
    """Batch normalisation that uses the running statistics for a batch of one spot, also in training."""

    def forward(self, features: Float[Tensor, "spots d"]) -> Float[Tensor, "spots d"]:
        if len(features) > 1 or not self.training:
            return super().forward(features)
        return F.batch_norm(features, self.running_mean, self.running_var, self.weight, self.bias, eps=self.eps)


class SpotEncoder(nn.Sequential):
    """An MLP that encodes one modality of each spot; hidden layers have batch norm, ReLU and dropout."""

    def __init__(self, features: int, *, hidden: Sequence[int], width: int, dropout: float) -> None:
        layers: list[nn.Module] = []
        for inputs, outputs in pairwise((features, *hidden)):
            layers += [nn.Linear(inputs, outputs), SpotNorm(outputs), nn.ReLU(), nn.Dropout(dropout)]
        super().__init__(*layers, nn.Linear((features, *hidden)[-1], width))


def info_nce(
    first: Float[Tensor, "spots width"], second: Float[Tensor, "spots width"], *, temperature: float, alpha: float
) -> Float[Tensor, ""]:
    """Return the contrastive loss of two codes of the same spots, over both directions.

    The loss rewards a code in ``first`` for having the same spot's code as its nearest in ``second``, by cosine
    similarity. ``alpha`` weights this direction and ``1 - alpha`` the reverse (van den Oord et al. 2018, Radford et al.
    2021).
    """
    scores = F.normalize(first, dim=-1) @ F.normalize(second, dim=-1).T / temperature
    targets = torch.arange(len(scores), device=scores.device)
    return alpha * F.cross_entropy(scores, targets) + (1 - alpha) * F.cross_entropy(scores.T, targets)
