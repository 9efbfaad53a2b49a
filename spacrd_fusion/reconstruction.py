"""Category-regularised variational reconstruction (SpaCRD, part 3): a latent space that separates the classes."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn


@dataclass(frozen=True)
class Posterior:
    """Diagonal Gaussians over the latent space, one per centre."""

    mean: Float[Tensor, "centres latent"]
    log_variance: Float[Tensor, "centres latent"]

    @property
    def features(self) -> Float[Tensor, "centres features"]:
        """Mean and log variance, concatenated."""
        return torch.cat([self.mean, self.log_variance], dim=-1)

    def sample(self) -> Float[Tensor, "centres latent"]:
        """Return one differentiable sample per centre (reparameterisation)."""
        return self.mean + torch.exp(0.5 * self.log_variance) * torch.randn_like(self.mean)

    def divergence(self, prior_mean: Float[Tensor, "centres latent"]) -> Float[Tensor, " centres"]:
        """Return the Kullback-Leibler divergence from a unit Gaussian around ``prior_mean``."""
        shift = (self.mean - prior_mean).square()
        return 0.5 * (self.log_variance.exp() + shift - 1 - self.log_variance).sum(dim=-1)


class ClassLatents(nn.Module):
    """A variational autoencoder with a prior per class: a unit Gaussian around a learned class mean."""

    #: Unit Gaussians at this distance overlap by 0.27 %, so a larger distance gains nothing. Without the limit, the
    #: reward would be unbounded once the posteriors follow their class.
    MAX_SEPARATION = 6.0

    def __init__(self, width: int, *, hidden: Sequence[int], latent: int, class_mean_start: float = 0.1) -> None:
        super().__init__()
        self.encoder = _layers((width, *hidden))
        self.mean = nn.Linear(hidden[-1], latent)
        self.log_variance = nn.Linear(hidden[-1], latent)
        self.decoder = nn.Sequential(_layers((latent, *reversed(hidden))), nn.Linear(hidden[0], width))
        self.class_means = nn.Parameter(torch.randn(2, latent) * class_mean_start)

    def posterior(self, fused: Float[Tensor, "centres width"]) -> Posterior:
        """Return the posterior of each fused feature."""
        code = self.encoder(fused)
        return Posterior(self.mean(code), self.log_variance(code).clamp(-10, 10))

    def reconstruction_error(
        self, fused: Float[Tensor, "centres width"], posterior: Posterior
    ) -> Float[Tensor, " centres"]:
        """Return the mean squared error of each fused feature, decoded from a sample (in training) or from the mean."""
        point = posterior.sample() if self.training else posterior.mean
        decoded: Float[Tensor, "centres width"] = self.decoder(point)
        return (decoded - fused).square().mean(dim=-1)

    def divergence(self, posterior: Posterior, labels: Int[Tensor, " centres"]) -> Float[Tensor, " centres"]:
        """Return each posterior's divergence from the prior of its class; 0 for unlabelled spots."""
        divergence = posterior.divergence(self.class_means[labels.clamp(min=0)])
        return torch.where(labels >= 0, divergence, 0.0)

    def separation(self) -> Float[Tensor, ""]:
        """Return the distance between the class means, at most ``MAX_SEPARATION``."""
        normal, cancer = self.class_means
        distance: Float[Tensor, ""] = torch.linalg.vector_norm(cancer - normal)
        return distance.clamp(max=self.MAX_SEPARATION)


def _layers(widths: Sequence[int]) -> nn.Sequential:
    return nn.Sequential(
        *(layer for inputs, outputs in pairwise(widths) for layer in (nn.Linear(inputs, outputs), nn.ReLU()))
    )
