"""Every registered component satisfies its contract; a new component is tested by being registered."""

import pytest

from spacrd_core.contracts import check_encoder, check_head, check_reader
from spacrd_core.contracts.encoder import matches_its_card
from spacrd_core.contracts.recipe_key import other_options
from spacrd_core.plugins import Plugins, load_plugins

ALL = load_plugins()
BUILDABLE = [card for card in ALL.encoders if card.recipe is not None and card.recipe.weights == "none"]


@pytest.mark.parametrize("name", [card.name for card in BUILDABLE])
def test_an_encoder_that_needs_no_weights_satisfies_its_contract_and_matches_its_card(
    plugins: Plugins, name: str
) -> None:
    encoder = plugins.encoders.create(name)
    check_encoder(encoder)
    matches_its_card((plugins.encoders.card(name), encoder))


@pytest.mark.parametrize("name", [card.name for card in BUILDABLE])
def test_other_options_of_an_encoder_of_spacrd_are_another_recipe(plugins: Plugins, name: str) -> None:
    recipe = plugins.encoders.create(name).recipe
    assert "plugin" not in recipe.settings, "the version of SpaCRD alone does not make embeddings stale"
    for option, _, other in other_options(plugins.encoders.load(name).Options):
        changed = plugins.encoders.create(name, {option: getattr(other, option)}).recipe
        assert changed.key != recipe.key, option


@pytest.mark.parametrize("name", [card.name for card in ALL.heads])
def test_a_head_satisfies_its_contract(plugins: Plugins, name: str) -> None:
    check_head(lambda dims: plugins.heads.create(name, dims=dims))


@pytest.mark.parametrize("name", [card.name for card in ALL.readers])
def test_a_reader_satisfies_its_contract(plugins: Plugins, name: str) -> None:
    check_reader(plugins.readers.create(name))


def test_every_encoder_except_a_family_has_a_recipe_on_its_card() -> None:
    assert all((card.recipe is None) == card.family for card in ALL.encoders)
