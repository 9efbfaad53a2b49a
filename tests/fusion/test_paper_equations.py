"""The preset ``paper`` computes the published equations, with the normalisation of the released code.

The reference below copies every neighbourhood and encodes every copy, as the released code does. It reads the
parameters of our head, so that losses, logits and gradients can be compared.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from fusion.conftest import MakeBatch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from spacrd_core.cohort.batch import Batch, Dims
from spacrd_fusion.spacrd import SpaCRDHead

DIMS = Dims(genes=12, image=7)
SMALL = {"hidden": (16, 12), "width": 8, "heads": 2, "latent_hidden": (9, 6), "latent": 4, "classifier_hidden": 5}
PHASES = ("align", "reconstruct", "detect")
CENTRES = [0, 3, 17, 18, 44, 45, 46, 55, 71, 90, 99]


def assert_six_digits(actual: Any, expected: Any) -> None:
    """Compare tensors, or mappings of tensors, to six digits."""
    torch.testing.assert_close(actual, expected, rtol=1e-6, atol=1e-9)


@dataclass
class Published:
    """The published network on one batch, in training, without dropout."""

    parameters: Mapping[str, Tensor]
    batch: Batch
    heads: int
    noise: Float[Tensor, "centres latent"]

    def losses(self, phase: str) -> dict[str, Float[Tensor, ""]]:
        if phase == "align":
            return {"contrastive": self.contrastive()}
        regularisers = {"reconstruction": self.reconstruction(), "prior": self.prior(), "separation": self.separation()}
        if phase == "reconstruct":
            return regularisers
        target = self.batch.labels.double()
        detection = -(target * F.logsigmoid(self.logits()) + (1 - target) * F.logsigmoid(-self.logits())).mean()
        return {"detection": detection} | {name: 0.1 * loss for name, loss in regularisers.items()}

    def contrastive(self) -> Float[Tensor, ""]:
        """InfoNCE of the centres in both directions, each weighted 0.5, at temperature 0.07."""
        image, genes = (self.encode(name, getattr(self.batch, name)[self.batch.centres]) for name in ("image", "genes"))
        cosine = (image @ genes.T) / image.norm(dim=1)[:, None] / genes.norm(dim=1)
        exponent = (cosine / 0.07).exp()
        to_genes, to_image = (-(exponent.diag() / exponent.sum(dim=axis)).log().mean() for axis in (1, 0))
        return 0.5 * to_genes + 0.5 * to_image

    def reconstruction(self) -> Float[Tensor, ""]:
        """The mean squared error of the fused feature, decoded from a sample of the posterior."""
        mean, log_variance = self.posterior()
        code = mean + (log_variance / 2).exp() * self.noise
        decoded = self.linear("latents.decoder.1", self.layers("latents.decoder.0", code))
        return (decoded - self.fused()).square().mean()

    def prior(self) -> Float[Tensor, ""]:
        """Half the divergence of the posterior from the unit Gaussian round the mean of the spot's class."""
        mean, log_variance = self.posterior()
        centre = self.parameters["latents.class_means"][self.batch.labels]
        divergence = (log_variance.exp() + (mean - centre) ** 2 - 1 - log_variance).sum(dim=1) / 2
        return 0.5 * divergence.mean()

    def separation(self) -> Float[Tensor, ""]:
        normal, cancer = self.parameters["latents.class_means"]
        return -0.1 * (normal - cancer).square().sum().sqrt()

    def logits(self) -> Float[Tensor, " centres"]:
        hidden = self.linear("classifier.0", torch.cat(self.posterior(), dim=1)).relu()
        return self.linear("classifier.2", hidden)[:, 0]

    def posterior(self) -> tuple[Float[Tensor, "centres latent"], Float[Tensor, "centres latent"]]:
        code = self.layers("latents.encoder", self.fused())
        return self.linear("latents.mean", code), self.linear("latents.log_variance", code)

    def fused(self) -> Float[Tensor, "centres width"]:
        """Both modalities of every centre after they attended to each other."""
        genes, image = self.neighbourhoods("genes"), self.neighbourhoods("image")
        pairs = zip(genes, image, strict=True)
        attended = [torch.cat([self.attend("genes", g, i)[0], self.attend("image", i, g)[0]]) for g, i in pairs]
        projected = self.linear("fusion.project", torch.stack(attended))
        return F.layer_norm(projected, projected.shape[1:])

    def neighbourhoods(self, name: str) -> list[Float[Tensor, "k width"]]:
        """The tokens of every neighbourhood, each feature scaled to length 1 over its neighbours."""
        members = [row[present] for row, present in zip(self.batch.neighbours, self.batch.present, strict=True)]
        codes = self.encode(name, getattr(self.batch, name)[torch.cat(members)])
        return [tokens / tokens.norm(dim=0) for tokens in codes.split([len(row) for row in members])]

    def attend(self, name: str, query: Float[Tensor, "k width"], other: Float[Tensor, "k width"]) -> Tensor:
        """Multi-head attention of all tokens of a neighbourhood to those of the other modality."""
        part = f"fusion.attention.{name}"
        key_value = self.linear(f"{part}.key_value", other).chunk(2, dim=1)
        width = query.shape[1] // self.heads
        outputs = []
        parts = (tokens.split(width, dim=1) for tokens in (self.linear(f"{part}.query", query), *key_value))
        for q, k, v in zip(*parts, strict=True):
            outputs.append((q @ k.T / math.sqrt(width)).softmax(dim=1) @ v)
        output = self.linear(f"{part}.output", torch.cat(outputs, dim=1))
        return F.layer_norm(output, output.shape[1:], *self.weights(f"{part}.norm"))

    def encode(self, name: str, spots: Float[Tensor, "spots d"]) -> Float[Tensor, "spots width"]:
        """An MLP whose batch norm counts every copy of a spot."""
        for layer in (0, 4):
            spots = self.linear(f"encoders.{name}.{layer}", spots)
            spots = (spots - spots.mean(dim=0)) / (spots.var(dim=0, correction=0) + 1e-5).sqrt()
            weight, bias = self.weights(f"encoders.{name}.{layer + 1}")
            spots = (spots * weight + bias).relu()
        return self.linear(f"encoders.{name}.8", spots)

    def layers(self, name: str, features: Float[Tensor, "centres d"]) -> Float[Tensor, "centres d"]:
        """Two linear layers with ReLU."""
        for layer in (0, 2):
            features = self.linear(f"{name}.{layer}", features).relu()
        return features

    def linear(self, name: str, features: Float[Tensor, "rows d"]) -> Float[Tensor, "rows d"]:
        weight, bias = self.weights(name)
        return features @ weight.T + bias

    def weights(self, name: str) -> tuple[Tensor, Tensor]:
        return self.parameters[f"{name}.weight"], self.parameters[f"{name}.bias"]


@pytest.fixture
def batch(make_batch: MakeBatch) -> Batch:
    """Eleven labelled spots of equal weight, some at the border, whose neighbourhoods overlap."""
    batch = make_batch(genes=DIMS.genes, image=DIMS.image, unlabelled=False, centres=CENTRES)
    assert batch.genes is not None
    assert batch.image is not None
    needed, position = torch.unique(batch.neighbours, return_inverse=True)
    genes, image = batch.genes[needed].double(), batch.image[needed].double()
    return Batch(genes, image, position, batch.present, batch.labels, batch.weights.double())


def networks(batch: Batch, monkeypatch: pytest.MonkeyPatch, **options: Any) -> tuple[SpaCRDHead, Published]:
    """Our head and the published network with the same parameters, all away from their start, and the same noise."""
    torch.manual_seed(0)
    values = {"preset": "paper", "dropout": 0.0, "attention_dropout": 0.0} | SMALL | options
    head = SpaCRDHead(SpaCRDHead.Options.model_validate(values), dims=DIMS).double().train()
    for parameter in head.parameters():
        parameter.data += 0.5 * torch.randn_like(parameter)
    noise = torch.randn(len(CENTRES), SMALL["latent"], dtype=torch.float64)  # type: ignore[call-overload]
    monkeypatch.setattr(torch, "randn_like", lambda _: noise)
    return head, Published(dict(head.named_parameters()), batch, head.options.heads, noise)


@pytest.mark.parametrize("phase", PHASES)
def test_every_loss_is_the_published_one(batch: Batch, monkeypatch: pytest.MonkeyPatch, phase: str) -> None:
    head, published = networks(batch, monkeypatch)
    assert_six_digits(head.losses(batch, phase), published.losses(phase))


def test_logits_are_the_published_ones(batch: Batch, monkeypatch: pytest.MonkeyPatch) -> None:
    head, published = networks(batch, monkeypatch)
    logits = published.logits()
    assert logits.std() > 0.01
    assert_six_digits(head.score(batch), logits)


@pytest.mark.parametrize("phase", PHASES)
def test_every_gradient_is_the_published_one(batch: Batch, monkeypatch: pytest.MonkeyPatch, phase: str) -> None:
    head, published = networks(batch, monkeypatch)
    ours, theirs = gradients(head, head.losses(batch, phase)), gradients(head, published.losses(phase))
    assert_six_digits(ours, theirs)
    assert any(gradient.abs().max() > 1e-3 for gradient in ours.values())


def gradients(head: SpaCRDHead, losses: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The gradient of the sum of the losses by parameter; 0 where there is none."""
    names, parameters = zip(*head.named_parameters(), strict=True)
    values = torch.autograd.grad(torch.stack([*losses.values()]).sum(), parameters, materialize_grads=True)
    return dict(zip(names, values, strict=True))


@pytest.mark.parametrize(
    "options",
    [{"neighbour_norm": False}, {"neighbour_norm": False, "unit_tokens": True}, {"neighbour_statistics": False}],
    ids=["no norm", "norm over features", "statistics of each spot once"],
)
def test_another_normalisation_gives_other_logits(
    batch: Batch, monkeypatch: pytest.MonkeyPatch, options: dict[str, bool]
) -> None:
    head, published = networks(batch, monkeypatch, **options)
    assert (head.score(batch) - published.logits()).abs().max() > 1e-3


@pytest.mark.parametrize("option", ["temperature", "alpha", "prior_weight", "separation_weight"])
def test_another_weight_gives_other_losses(batch: Batch, monkeypatch: pytest.MonkeyPatch, option: str) -> None:
    head, published = networks(batch, monkeypatch, **{option: 0.9})
    pairs = [(head.losses(batch, phase), published.losses(phase)) for phase in ("align", "reconstruct")]
    assert any((ours[name] - theirs[name]).abs() > 1e-3 for ours, theirs in pairs for name in theirs)
