"""Every published encoder is built from its card, on the meta device, so that a billion weights take no memory."""

import json
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
import torch

from spacrd_core.cards import EncoderCard
from spacrd_core.embedding.forward import PRECISIONS
from spacrd_core.plugins import load_plugins
from spacrd_core.slide.resample import FILTERS
from spacrd_encoders.backbone.networks import build_on_meta, pool_tokens

CARDS: dict[str, Any] = {card.name: card for card in load_plugins().encoders if card.network}
# As published: millions of parameters; tensors in the file, where somebody has counted them; and how many tokens (the
# class token and registers) stand before the patches.
TABLE = """
uni                303.35  342  1
uni2               681     343  9
virchow            631     454  1
virchow2           631     455  5
gigapath           1130    -    1
h-optimus-0        1130    567  5
h-optimus-1        1130    567  5
h0-mini            86      -    5
phikon             86      -    1
phikon-v2          303     -    1
midnight           1140    -    1
midnight-spectra   1140    -    1
hibou-b            86      -    5
hibou-l            304     -    5
gpfm               303     342  1
kaiko-s8           21.7    150  1
kaiko-s16          21.7    150  1
kaiko-b8           86      150  1
kaiko-b16          86      150  1
kaiko-l14          303     343  5
lunit-s8           21.7    150  1
lunit-s16          21.7    150  1
lunit-rn50-bt      23.6    -    -
lunit-rn50-mocov2  23.6    -    -
lunit-rn50-swav    23.6    -    -
dinov2-s           21.7    -    1
dinov2-b           86      -    1
dinov2-l           303     -    1
dinov2-g           1136    -    1
resnet50           23.6    -    -
"""
ROWS = [line.split() for line in TABLE.strip().splitlines()]
MILLIONS = {name: float(millions) for name, millions, _, _ in ROWS}
TENSORS = {name: int(tensors) for name, _, tensors, _ in ROWS if tensors != "-"}
PREFIX = {name: int(prefix) for name, _, _, prefix in ROWS if prefix != "-"}
POOLED = {"virchow": 2560, "virchow2": 2560, "h0-mini": 1536, "midnight": 3072, "midnight-spectra": 3072}


@cache
def built(name: str) -> Any:
    return build_on_meta(CARDS[name].network).eval()


@pytest.fixture(params=CARDS)
def card(request: pytest.FixtureRequest) -> EncoderCard:
    chosen: EncoderCard = CARDS[request.param]
    return chosen


def test_the_catalogue_has_the_encoders_people_use() -> None:
    assert CARDS.keys() == MILLIONS.keys()


@pytest.mark.ci_cases(4)
def test_a_network_has_the_parameters_that_were_published(card: EncoderCard) -> None:
    assert card.network
    parameters = sum(tensor.numel() for tensor in built(card.name).state_dict().values())
    assert parameters == card.network.parameters
    assert parameters / 1e6 == pytest.approx(MILLIONS[card.name], rel=0.01)


@pytest.mark.parametrize("name", TENSORS)
def test_a_network_has_as_many_tensors_as_the_published_file(name: str) -> None:
    assert len(built(name).state_dict()) == TENSORS[name]


@pytest.mark.slow
@pytest.mark.ci_cases(6)
def test_an_embedding_has_the_dimension_of_the_recipe(card: EncoderCard) -> None:
    assert card.recipe
    network = built(card.name)
    tiles = torch.empty(2, 3, card.recipe.input_px, card.recipe.input_px, device="meta")
    output = network(tiles)
    assert pool_tokens(output, card.recipe.pooling, getattr(network, "num_prefix_tokens", 0)).shape == (
        2,
        card.recipe.dim,
    )
    assert (output.ndim == 3) == (card.recipe.pooling == "cls+mean")
    assert {"avg": "avg", "cls": "token", "cls+mean": ""}[card.recipe.pooling] == getattr(
        network.global_pool, "pool_type", network.global_pool
    )


@pytest.mark.parametrize("name", PREFIX)
def test_patches_begin_after_the_class_token_and_the_registers(name: str) -> None:
    assert built(name).num_prefix_tokens == PREFIX[name]


@pytest.mark.parametrize(("name", "dim"), POOLED.items())
def test_encoders_published_with_the_mean_of_the_patches_concatenate_it_to_the_class_token(name: str, dim: int) -> None:
    assert (CARDS[name].recipe.pooling, CARDS[name].recipe.dim) == ("cls+mean", dim)
    assert all(card.recipe.pooling != "cls+mean" for other, card in CARDS.items() if other not in POOLED)


def test_class_token_and_mean_of_patches_leave_the_registers_out() -> None:
    tokens = torch.tensor([[[1.0], [50.0], [60.0], [2.0], [4.0]]])
    assert pool_tokens(tokens, "cls+mean", 3).tolist() == [[1.0, 3.0]]
    assert pool_tokens(tokens, "cls", 3).tolist() == [[1.0]]


def test_every_number_comes_from_the_file(card: EncoderCard) -> None:
    """A buffer that is not in the file would stay uninitialised: these networks have none."""
    network = built(card.name)
    assert {name for name, _ in network.named_buffers()} <= network.state_dict().keys()


def test_a_card_has_everything_needed_to_build_the_encoder(card: EncoderCard) -> None:
    assert card.network
    assert card.recipe
    assert card.citation
    assert card.recipe.licence
    assert card.recipe.precision in PRECISIONS
    assert card.recipe.resize in FILTERS
    assert card.recipe.weights == f"hub:{card.network.repo}"
    assert card.network.revision == "main" or len(card.network.revision) == 40
    assert not card.network.sha256 or len(card.network.sha256) == 64
    assert "/" in card.network.repo
    assert card.recipe.patch_um == 112


def test_the_recipe_holds_the_architecture_so_that_another_is_another_recipe(card: EncoderCard) -> None:
    assert card.network
    assert card.recipe
    settings = json.loads(card.recipe.settings)
    assert (settings["model"], settings["arguments"]) == (card.network.architecture, card.network.arguments)
    other = replace(card.recipe, settings=card.recipe.settings.replace(settings["model"], "other"))
    assert other.key != card.recipe.key


def test_gates_and_licences_are_those_of_the_owners() -> None:
    gated = {name for name, card in CARDS.items() if card.recipe.gated}
    assert gated == {
        *("uni", "uni2", "virchow", "virchow2", "gigapath", "h-optimus-0", "h-optimus-1", "h0-mini"),
        *("hibou-b", "hibou-l"),
    }
    permissive = {name for name, card in CARDS.items() if card.recipe.licence in ("MIT", "Apache-2.0", "BSD-3-Clause")}
    dinov2 = {"dinov2-s", "dinov2-b", "dinov2-l", "dinov2-g"}
    assert permissive - gated == {"midnight", "midnight-spectra", "resnet50", *dinov2}


def test_recipes_differ() -> None:
    assert len({card.recipe.key for card in CARDS.values()}) == len(CARDS)
