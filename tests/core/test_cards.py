"""Cards are checked facts, and a recipe decides what an embedding means."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, fields, replace
from pathlib import Path

import pytest
from pydantic import ValidationError

from spacrd_core.cards import Card, ComponentOptions, EncoderCard, Recipe, fingerprint

RECIPE = Recipe(input_px=224, um_per_px=0.5, dim=1024)


@pytest.mark.parametrize("name", ["Uni", "uni v2", "", "-uni", "a:b", "uni/2", "ünï"])
def test_a_name_that_users_could_mistype_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="lower-case letters"):
        Card(name, "module:Class", "A component")


def test_an_alias_follows_the_rules_of_names() -> None:
    with pytest.raises(ValueError, match="'UNI'"):
        Card("uni", "module:Class", "A component", aliases=("UNI",))


@pytest.mark.parametrize("target", ["module", "module:", ":Class", "module:a.b", "mod-ule:Class", "module:Class()"])
def test_a_target_reads_module_colon_class(target: str) -> None:
    with pytest.raises(ValueError, match="must read 'module:Class'"):
        Card("uni", target, "A component")


def test_a_card_is_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        EncoderCard("uni", "module:Class", "An encoder").name = "other"  # type: ignore[misc]


def test_a_patch_has_a_physical_size() -> None:
    assert RECIPE.patch_um == 112.0


OTHER = {
    "input_px": 256,
    "um_per_px": 0.25,
    "dim": 1536,
    "resize": "area",
    "mean": (0.0, 0.0, 0.0),
    "std": (1.0, 1.0, 1.0),
    "pooling": "mean",
    "precision": "bf16",
    "weights": "hub:x",
    "settings": '{"a": 1}',
    "licence": "MIT",
    "gated": True,
}


@pytest.mark.parametrize("fact", [field.name for field in fields(Recipe)])
def test_every_fact_of_a_recipe_changes_its_key(fact: str) -> None:
    assert replace(RECIPE, **{fact: OTHER[fact]}).key != RECIPE.key


def test_equal_recipes_have_equal_keys_in_every_process() -> None:
    assert Recipe(dim=1024, um_per_px=0.5, input_px=224).key == RECIPE.key == "be81818128c1c886"


def test_a_fingerprint_does_not_depend_on_the_order_of_facts() -> None:
    assert fingerprint({"a": 1, "b": 2}) == fingerprint({"b": 2, "a": 1})
    assert fingerprint({"a": 1}) != fingerprint({"a": 2})
    assert len(fingerprint({})) == 16


def test_options_refuse_what_they_do_not_know_and_never_change() -> None:
    class Options(ComponentOptions):
        size: int = 1

    with pytest.raises(ValidationError, match="Extra inputs"):
        Options(sise=2)  # type: ignore[call-arg]
    with pytest.raises(ValidationError, match="frozen"):
        Options().size = 2  # type: ignore[misc]


def test_portable_options_are_those_chosen_and_hold_on_any_machine(tmp_path: Path) -> None:
    class Options(ComponentOptions):
        weights: Path | None = None
        stain_views: int = 1
        pooling: str = "cls"

    assert Options(weights=tmp_path / "w.bin", stain_views=4).portable() == {"stain_views": 4}
    assert Options().portable() == {}
