"""Category-regularised variational reconstruction (SpaCRD, part 3): a latent space in which the classes part."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn


@dataclass(frozen=True)
class Posterior:
    """A diagonal Gaussian over the latent space, one a spot."""

    mean: Float[Tensor, "centres latent"]
    log_variance: Float[Tensor, "centres latent"]

    @property
    def features(self) -> Float[Tensor, "centres features"]:
        """Mean and log variance side by side."""
        return torch.cat([self.mean, self.log_variance], dim=-1)

    def sample(self) -> Float[Tensor, "centres latent"]:
        """Draw one point a spot, differentiably."""
        return self.mean + torch.exp(0.5 * self.log_variance) * torch.randn_like(self.mean)

    def divergence(self, centre: Float[Tensor, "centres latent"]) -> Float[Tensor, " centres"]:
        """Return the Kullback-Leibler divergence from a unit Gaussian round ``centre``."""
        shift = (self.mean - centre).square()
        return 0.5 * (self.log_variance.exp() + shift - 1 - self.log_variance).sum(dim=-1)


class ClassLatents(nn.Module):
    """A variational autoencoder whose prior is a unit Gaussian round the learned mean of the spot's class."""

    #: Unit Gaussians this far apart overlap by a quarter of a percent: to part them further gains nothing, and the term
    #: that rewards it would otherwise have no floor once the posteriors follow their class.
    FARTHEST = 6.0

    def __init__(self, width: int, *, hidden: Sequence[int], latent: int) -> None:
        super().__init__()
        self.encoder = _layers((width, *hidden))
        self.mean = nn.Linear(hidden[-1], latent)
        self.log_variance = nn.Linear(hidden[-1], latent)
        self.decoder = nn.Sequential(_layers((latent, *reversed(hidden))), nn.Linear(hidden[0], width))
        self.class_means = nn.Parameter(torch.randn(2, latent) * 0.1)

    def posterior(self, fused: Float[Tensor, "centres width"]) -> Posterior:
        """Return where in the latent space a fused feature may lie."""
        code = self.encoder(fused)
        return Posterior(self.mean(code), self.log_variance(code).clamp(-10, 10))

    def reconstruction_error(
        self, fused: Float[Tensor, "centres width"], posterior: Posterior
    ) -> Float[Tensor, " centres"]:
        """Return the mean squared error of each fused feature, decoded from a draw (in training) or from the mean."""
        point = posterior.sample() if self.training else posterior.mean
        decoded: Float[Tensor, "centres width"] = self.decoder(point)
        return (decoded - fused).square().mean(dim=-1)

    def divergence(self, posterior: Posterior, labels: Int[Tensor, " centres"]) -> Float[Tensor, " centres"]:
        """Return each posterior's divergence from the prior of its class; unlabelled spots have no prior, and 0."""
        found = posterior.divergence(self.class_means[labels.clamp(min=0)])
        return torch.where(labels >= 0, found, 0.0)

    def separation(self) -> Float[Tensor, ""]:
        """Return how far apart the class means are, up to ``FARTHEST``."""
        normal, cancer = self.class_means
        distance: Float[Tensor, ""] = torch.linalg.vector_norm(cancer - normal)
        return distance.clamp(max=self.FARTHEST)


def _layers(widths: Sequence[int]) -> nn.Sequential:
    return nn.Sequential(
        *(layer for before, after in pairwise(widths) for layer in (nn.Linear(before, after), nn.ReLU()))
    )
