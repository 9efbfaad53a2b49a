"""Fusion of the modalities of a spot without its neighbours."""

from dataclasses import replace

import pytest
import torch
from fusion.conftest import MakeBatch

from spacrd_core.cohort.batch import Batch
from spacrd_fusion.centre_fusion import CentreFusion

WIDTH = 8
Tokens = dict[str, torch.Tensor]


@pytest.fixture
def batch(make_batch: MakeBatch) -> Batch:
    return make_batch(genes=WIDTH, image=WIDTH)


@pytest.fixture
def tokens(batch: Batch) -> Tokens:
    assert batch.genes is not None
    assert batch.image is not None
    return {"genes": batch.genes, "image": batch.image}


@pytest.fixture
def fusion() -> CentreFusion:
    torch.manual_seed(0)
    return CentreFusion(("genes", "image"), width=WIDTH)


def test_every_centre_has_one_feature_of_the_width(fusion: CentreFusion, tokens: Tokens, make_batch: MakeBatch) -> None:
    fused = fusion(tokens, make_batch(genes=WIDTH, centres=[7, 3, 3]))
    assert fused.shape == (3, WIDTH)
    assert torch.equal(fused[1], fused[2])
    assert not torch.allclose(fused[0], fused[1])


def test_the_feature_of_a_centre_depends_on_its_own_tokens_only(
    fusion: CentreFusion, tokens: Tokens, make_batch: MakeBatch
) -> None:
    centre = make_batch(genes=WIDTH, centres=[7])
    others = {name: torch.cat([x[:7] + 1, x[7:8], x[8:] - 1]) for name, x in tokens.items()}
    assert torch.equal(fusion(others, centre), fusion(tokens, centre))


def test_it_does_not_depend_on_the_neighbours(fusion: CentreFusion, tokens: Tokens, batch: Batch) -> None:
    alone = replace(batch, neighbours=batch.neighbours[:, :1], present=batch.present[:, :1])
    reordered = replace(batch, neighbours=torch.cat([batch.neighbours[:, :1], batch.neighbours[:, 1:].flip(0)], dim=1))
    assert torch.equal(fusion(tokens, alone), fusion(tokens, batch))
    assert torch.equal(fusion(tokens, reordered), fusion(tokens, batch))


@pytest.mark.parametrize("changed", ["genes", "image"])
def test_every_modality_contributes(fusion: CentreFusion, tokens: Tokens, batch: Batch, changed: str) -> None:
    other = tokens | {changed: tokens[changed].flip(1)}
    assert (fusion(other, batch) - fusion(tokens, batch)).abs().amax(dim=1).min() > 1e-3


def test_modalities_are_selected_by_name(fusion: CentreFusion, tokens: Tokens, batch: Batch) -> None:
    reordered = dict(reversed(tokens.items()))
    assert torch.equal(fusion(reordered, batch), fusion(tokens, batch))


def test_its_features_have_mean_0_and_spread_1_for_any_weights(
    fusion: CentreFusion, tokens: Tokens, batch: Batch
) -> None:
    with torch.no_grad():
        for weight in fusion.parameters():
            weight.mul_(100.0)
    fused = fusion(tokens, batch)
    assert torch.allclose(fused.mean(dim=1), torch.zeros(len(fused)), atol=1e-5)
    assert torch.allclose(fused.std(dim=1, correction=0), torch.ones(len(fused)), atol=1e-3)


def test_gradients_reach_every_parameter(fusion: CentreFusion, tokens: Tokens, batch: Batch) -> None:
    fusion(tokens, batch)[:, 0].sum().backward()
    assert all(weight.grad is not None and weight.grad.any() for weight in fusion.parameters())
