"""Contrastive alignment: encode both modalities of a spot to nearby points of one space (SpaCRD, part 1)."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F


class SpotNorm(nn.BatchNorm1d):
    """Batch normalisation that uses the running statistics for a batch of one spot, also in training.

    With ``counts``, each spot enters the batch statistics as many times as it counts.
    """

    running_mean: Float[Tensor, " d"]
    running_var: Float[Tensor, " d"]
    num_batches_tracked: Int[Tensor, ""]
    momentum: float

    def forward(
        self, features: Float[Tensor, "spots d"], counts: Int[Tensor, " spots"] | None = None
    ) -> Float[Tensor, "spots d"]:
        if self.training and len(features) < 2:
            return F.batch_norm(features, self.running_mean, self.running_var, self.weight, self.bias, eps=self.eps)
        if self.training and counts is not None:
            return self._weighted(features, counts.to(features.dtype))
        return super().forward(features)

    def _weighted(
        self, features: Float[Tensor, "spots d"], counts: Float[Tensor, " spots"]
    ) -> Float[Tensor, "spots d"]:
        total = counts.sum()
        mean = counts @ features / total
        variance = counts @ (features - mean).square() / total
        with torch.no_grad():
            self.running_mean.lerp_(mean, self.momentum)
            self.running_var.lerp_(variance * (total / (total - 1).clamp(min=1)), self.momentum)
            self.num_batches_tracked += 1
        return (features - mean) * torch.rsqrt(variance + self.eps) * self.weight + self.bias


class SpotEncoder(nn.Sequential):
    """An MLP that encodes one modality of each spot; hidden layers have batch norm, ReLU and dropout."""

    def __init__(self, features: int, *, hidden: Sequence[int], width: int, dropout: float) -> None:
        layers: list[nn.Module] = []
        for inputs, outputs in pairwise((features, *hidden)):
            layers += [nn.Linear(inputs, outputs), SpotNorm(outputs), nn.ReLU(), nn.Dropout(dropout)]
        super().__init__(*layers, nn.Linear((features, *hidden)[-1], width))

    def forward(
        self, features: Float[Tensor, "spots d"], counts: Int[Tensor, " spots"] | None = None
    ) -> Float[Tensor, "spots width"]:
        """Return the codes of the spots; ``counts`` weights them in the batch statistics."""
        for layer in self:
            features = layer(features, counts) if isinstance(layer, SpotNorm) else layer(features)
        return features


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
