"""Cards are validated, and a recipe determines the meaning of an embedding."""

from dataclasses import FrozenInstanceError, fields, replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from spacrd_core.cards import Card, ComponentOptions, EncoderCard, Recipe, fingerprint

RECIPE = Recipe(input_px=224, um_per_px=0.5, dim=1024)


@pytest.mark.parametrize("name", ["Uni", "uni v2", "", "-uni", "a:b", "uni/2", "ünï"])
def test_an_invalid_name_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="lower-case letters"):
        Card(name, "module:Class", "A component")


def test_an_alias_follows_the_rules_of_names() -> None:
    with pytest.raises(ValueError, match="'UNI'"):
        Card("uni", "module:Class", "A component", aliases=("UNI",))


@pytest.mark.parametrize("target", ["module", "module:", ":Class", "module:a.b", "mod-ule:Class", "module:Class()"])
def test_a_target_must_be_module_colon_class(target: str) -> None:
    with pytest.raises(ValueError, match="must be 'module:Class'"):
        Card("uni", target, "A component")


def test_a_card_is_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        EncoderCard("uni", "module:Class", "An encoder").name = "other"  # type: ignore[misc]


def test_a_patch_has_a_physical_size() -> None:
    assert RECIPE.patch_um == 112.0


OTHER_VALUES: dict[str, Any] = {
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


@pytest.mark.parametrize("name", [field.name for field in fields(Recipe)])
def test_every_field_of_a_recipe_changes_its_key(name: str) -> None:
    assert replace(RECIPE, **{name: OTHER_VALUES[name]}).key != RECIPE.key


def test_equal_recipes_have_equal_keys_in_every_process() -> None:
    assert Recipe(dim=1024, um_per_px=0.5, input_px=224).key == RECIPE.key == "be81818128c1c886"


def test_a_fingerprint_does_not_depend_on_the_order_of_keys() -> None:
    assert fingerprint({"a": 1, "b": 2}) == fingerprint({"b": 2, "a": 1})
    assert fingerprint({"a": 1}) != fingerprint({"a": 2})
    assert len(fingerprint({})) == 16


def test_options_refuse_unknown_names_and_are_frozen() -> None:
    class Options(ComponentOptions):
        size: int = 1

    with pytest.raises(ValidationError, match="Extra inputs"):
        Options(sise=2)  # type: ignore[call-arg]
    with pytest.raises(ValidationError, match="frozen"):
        Options().size = 2  # type: ignore[misc]


def test_portable_options_differ_from_the_defaults_and_have_no_paths(tmp_path: Path) -> None:
    class Options(ComponentOptions):
        weights: Path | None = None
        stain_views: int = 1
        pooling: str = "cls"

    assert Options(weights=tmp_path / "w.bin", stain_views=4).portable() == {"stain_views": 4}
    assert Options().portable() == {}
