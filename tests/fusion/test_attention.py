"""Attention over neighbourhoods."""

from dataclasses import replace

import pytest
import torch
from fusion.conftest import MakeBatch

from spacrd_fusion.attention import CentreAttention, NeighbourhoodFusion

SPOTS, WIDTH = 100, 8


@pytest.fixture
def attention() -> CentreAttention:
    torch.manual_seed(0)
    return CentreAttention(WIDTH, heads=2, dropout=0.3).eval()


@pytest.fixture
def tokens() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    return torch.randn(SPOTS, WIDTH, generator=generator), torch.randn(SPOTS, WIDTH, generator=generator)


def test_a_centre_has_the_output_of_plain_multi_head_attention(
    attention: CentreAttention, tokens: tuple[torch.Tensor, torch.Tensor], make_batch: MakeBatch
) -> None:
    query_tokens, key_value_tokens = tokens
    batch = make_batch(genes=3)
    neighbours = batch.neighbours[33]
    query = attention.query(query_tokens[33]).view(2, 4)
    key, value = (half.view(5, 2, 4) for half in attention.key_value(key_value_tokens[neighbours]).split(WIDTH, dim=1))
    weights = torch.softmax(torch.einsum("hd,khd->hk", query, key) / 2, dim=1)
    attended = torch.einsum("hk,khd->hd", weights, value).reshape(WIDTH)
    output = attention(query_tokens, key_value_tokens, batch)[33]
    assert torch.allclose(output, attention.norm(attention.output(attended)), atol=1e-6)


def test_attention_with_padded_neighbours_equals_attention_without_them(
    attention: CentreAttention, tokens: tuple[torch.Tensor, torch.Tensor], make_batch: MakeBatch
) -> None:
    corner = make_batch(genes=3, centres=[0])
    assert corner.present.tolist() == [[True, True, False, True, False]]
    unpadded = replace(corner, neighbours=corner.neighbours[:, [0, 1, 3]], present=corner.present[:, [0, 1, 3]])
    assert torch.allclose(attention(*tokens, corner), attention(*tokens, unpadded), atol=1e-6)


def test_the_order_of_neighbours_does_not_matter_but_their_identity_does(
    attention: CentreAttention, tokens: tuple[torch.Tensor, torch.Tensor], make_batch: MakeBatch
) -> None:
    batch = make_batch(genes=3)
    order = [0, 3, 1, 4, 2]
    reordered = replace(batch, neighbours=batch.neighbours[:, order], present=batch.present[:, order])
    output = attention(*tokens, batch)
    assert torch.allclose(attention(*tokens, reordered), output, atol=1e-6)
    others = replace(batch, neighbours=torch.cat([batch.neighbours[:, :1], batch.neighbours[:, 1:].roll(7, 0)], dim=1))
    assert not torch.allclose(attention(*tokens, others), output, atol=1e-3)


def test_only_the_centres_token_is_used_as_a_query(
    attention: CentreAttention, tokens: tuple[torch.Tensor, torch.Tensor], make_batch: MakeBatch
) -> None:
    query_tokens, key_value_tokens = tokens
    centre = make_batch(genes=3, centres=[33])
    changed = query_tokens + torch.arange(SPOTS)[:, None].ne(33)
    output = attention(query_tokens, key_value_tokens, centre)
    assert torch.equal(attention(changed, key_value_tokens, centre), output)


def test_normalisation_runs_over_the_features_of_a_spot(
    attention: CentreAttention, tokens: tuple[torch.Tensor, torch.Tensor], make_batch: MakeBatch
) -> None:
    output = attention(*tokens, make_batch(genes=3))
    assert torch.allclose(output.mean(dim=1), torch.zeros(SPOTS), atol=1e-5)
    alone = attention(*tokens, make_batch(genes=3, centres=[33]))
    assert torch.allclose(alone[0], output[33], atol=1e-6)


def test_two_modalities_attend_to_each_other_and_one_to_itself(
    tokens: tuple[torch.Tensor, torch.Tensor], make_batch: MakeBatch
) -> None:
    batch = make_batch(genes=3)
    both = NeighbourhoodFusion(("genes", "image"), width=WIDTH, heads=2, dropout=0.0).eval()
    attended = [both.attention["genes"](*tokens, batch), both.attention["image"](*tokens[::-1], batch)]
    fused = both({"genes": tokens[0], "image": tokens[1]}, batch)
    assert torch.allclose(fused, both.norm(both.project(torch.cat(attended, dim=1))), atol=1e-6)
    one = NeighbourhoodFusion(("image",), width=WIDTH, heads=2, dropout=0.0).eval()
    alone = one.attention["image"](tokens[0], tokens[0], batch)
    assert torch.allclose(one({"image": tokens[0]}, batch), one.norm(one.project(alone)), atol=1e-6)


def test_fused_features_cannot_be_shrunk(tokens: tuple[torch.Tensor, torch.Tensor], make_batch: MakeBatch) -> None:
    fusion = NeighbourhoodFusion(("genes",), width=WIDTH, heads=2, dropout=0.0)
    with torch.no_grad():
        fusion.project.weight.mul_(0.5)
    fused = fusion({"genes": tokens[0]}, make_batch(genes=3))
    assert torch.allclose(fused.square().mean(dim=1), torch.ones(SPOTS), atol=1e-3)
