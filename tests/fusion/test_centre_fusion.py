"""Fusion of a spot alone: its modalities side by side, its neighbours unseen."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import torch

from spacrd_fusion.centre_fusion import CentreFusion

if TYPE_CHECKING:
    from conftest import MakeBatch

    from spacrd_core.cohort.batch import Batch

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
    some = make_batch(genes=WIDTH, centres=[7, 3, 3])
    fused = fusion(tokens, some)
    assert fused.shape == (3, WIDTH)
    assert torch.equal(fused[1], fused[2])
    assert not torch.allclose(fused[0], fused[1])


def test_a_centre_is_read_from_its_own_tokens(fusion: CentreFusion, tokens: Tokens, make_batch: MakeBatch) -> None:
    some = make_batch(genes=WIDTH, centres=[7])
    others = {name: torch.cat([x[:7] + 1, x[7:8], x[8:] - 1]) for name, x in tokens.items()}
    assert torch.equal(fusion(others, some), fusion(tokens, some))


def test_its_neighbours_are_not_looked_at(fusion: CentreFusion, tokens: Tokens, batch: Batch) -> None:
    alone = replace(batch, neighbours=batch.neighbours[:, :1], present=batch.present[:, :1])
    turned = replace(batch, neighbours=torch.cat([batch.neighbours[:, :1], batch.neighbours[:, 1:].flip(0)], dim=1))
    assert torch.equal(fusion(tokens, alone), fusion(tokens, batch))
    assert torch.equal(fusion(tokens, turned), fusion(tokens, batch))


@pytest.mark.parametrize("changed", ["genes", "image"])
def test_every_modality_has_a_say(fusion: CentreFusion, tokens: Tokens, batch: Batch, changed: str) -> None:
    other = tokens | {changed: tokens[changed].flip(1)}
    assert (fusion(other, batch) - fusion(tokens, batch)).abs().amax(dim=1).min() > 1e-3


def test_modalities_are_known_by_name(fusion: CentreFusion, tokens: Tokens, batch: Batch) -> None:
    turned = dict(reversed(tokens.items()))
    assert torch.equal(fusion(turned, batch), fusion(tokens, batch))


def test_its_features_have_mean_0_and_spread_1_whatever_it_learns(
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
