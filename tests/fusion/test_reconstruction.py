"""Category-regularised variational reconstruction."""

import pytest
import torch
from torch.distributions import MultivariateNormal

from spacrd_fusion.reconstruction import ClassLatents, Posterior

LATENT = 3


@pytest.fixture
def latents() -> ClassLatents:
    torch.manual_seed(0)
    return ClassLatents(8, hidden=(6, 5), latent=LATENT)


@pytest.fixture
def fused() -> torch.Tensor:
    return torch.randn(20, 8, generator=torch.Generator().manual_seed(1))


def test_the_divergence_from_a_class_prior_equals_monte_carlo() -> None:
    torch.manual_seed(0)
    posterior = Posterior(torch.tensor([[0.5, -1.0, 2.0]]), torch.tensor([[0.3, -1.2, 0.0]]))
    prior_mean = torch.tensor([[1.0, 1.0, -0.5]])
    draws = Posterior(posterior.mean.expand(200_000, -1), posterior.log_variance.expand(200_000, -1)).sample()
    density = MultivariateNormal(posterior.mean[0], torch.diag(posterior.log_variance[0].exp()))
    prior = MultivariateNormal(prior_mean[0], torch.eye(LATENT))
    sampled = (density.log_prob(draws) - prior.log_prob(draws)).mean().item()
    assert posterior.divergence(prior_mean).item() == pytest.approx(sampled, rel=0.01)


def test_a_posterior_that_equals_its_prior_does_not_diverge() -> None:
    mean = torch.tensor([[1.0, -2.0, 0.5]])
    assert Posterior(mean, torch.zeros(1, LATENT)).divergence(mean).item() == 0.0


def test_each_spot_diverges_from_its_own_class_and_an_unlabelled_one_from_none(
    latents: ClassLatents, fused: torch.Tensor
) -> None:
    posterior = latents.posterior(fused[:3])
    normal, cancer = latents.class_means
    divergence = latents.divergence(posterior, torch.tensor([0, 1, -1]))
    assert divergence[0] == posterior.divergence(normal[None])[0]
    assert divergence[1] == posterior.divergence(cancer[None])[1]
    assert divergence[2] == 0.0


def test_training_draws_from_the_posterior_and_evaluation_does_not(latents: ClassLatents, fused: torch.Tensor) -> None:
    posterior = latents.posterior(fused)
    torch.manual_seed(3)
    drawn = latents.reconstruction_error(fused, posterior)
    assert not torch.equal(latents.reconstruction_error(fused, posterior), drawn)
    torch.manual_seed(3)
    assert torch.equal(latents.reconstruction_error(fused, posterior), drawn)
    latents.eval()
    from_the_mean = (latents.decoder(posterior.mean) - fused).square().mean(dim=1)
    assert torch.equal(latents.reconstruction_error(fused, posterior), from_the_mean)


def test_the_decoder_mirrors_the_encoder(latents: ClassLatents) -> None:
    def widths(module: torch.nn.Module) -> list[tuple[int, int]]:
        return [(m.in_features, m.out_features) for m in module.modules() if isinstance(m, torch.nn.Linear)]

    assert widths(latents.encoder) == [(8, 6), (6, 5)]
    assert widths(latents.decoder) == [(3, 5), (5, 6), (6, 8)]


def test_separating_the_class_means_is_rewarded_up_to_a_limit(latents: ClassLatents) -> None:
    def separation(distance: float) -> torch.Tensor:
        latents.zero_grad()
        with torch.no_grad():
            latents.class_means.copy_(torch.tensor([[0.0, 0.0, 0.0], [distance, 0.0, 0.0]]))
        value = latents.separation()
        value.backward()
        return value.detach()

    assert separation(2.5) == 2.5
    assert latents.class_means.grad is not None
    assert latents.class_means.grad.abs().sum() == 2.0
    assert separation(50.0) == ClassLatents.MAX_SEPARATION
    assert not latents.class_means.grad.any()


def test_training_separates_the_posteriors_of_the_two_classes(latents: ClassLatents) -> None:
    generator = torch.Generator().manual_seed(2)
    labels = torch.arange(200) % 2
    fused = torch.randn(200, 8, generator=generator) + 2.0 * labels[:, None] - 1
    optimiser = torch.optim.Adam(latents.parameters(), lr=1e-2)
    for _ in range(150):
        posterior = latents.posterior(fused)
        prior = latents.divergence(posterior, labels).mean()
        loss = latents.reconstruction_error(fused, posterior).mean() + 0.5 * prior - 0.1 * latents.separation()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    means = latents.posterior(fused).mean
    positions = (means - latents.class_means.mean(dim=0)) @ (latents.class_means[1] - latents.class_means[0])
    assert ((positions > 0) == (labels == 1)).float().mean() > 0.95
    assert latents.separation() > 1.0
