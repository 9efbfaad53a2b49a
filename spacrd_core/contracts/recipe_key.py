"""The part of the contract of encoders that keeps embeddings of different options and versions apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from spacrd_core.contracts.expect import expect
from spacrd_core.errors import SpacrdError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from spacrd_core.cards import ComponentOptions
    from spacrd_core.embedding.encoder import Encoder


def every_option_is_in_the_key(encoder: Encoder) -> None:
    """Other options give another recipe key, so that their embeddings are never mixed."""
    for name, options, other in other_options(encoder.Options):
        keys = {encoder.recipe.completed(each.facts(), "plugin 1.0").key for each in (options, other)}
        values = f"{getattr(options, name)!r} and {getattr(other, name)!r}"
        expect(len(keys) > 1, f"option {name} must be part of the recipe key, but {values} give the same key")


def every_version_is_in_the_key(encoder: Encoder) -> None:
    """Another version of the plugin gives another recipe key."""
    keys = {encoder.recipe.completed({}, plugin).key for plugin in ("plugin 1.0", "plugin 1.1")}
    expect(len(keys) > 1, "the version of the plugin must be part of the recipe key; do not override completed")


def other_options(model: type[ComponentOptions]) -> Iterator[tuple[str, ComponentOptions, ComponentOptions]]:
    """Yield every option that has another valid value, with the default options and those with that value."""
    try:
        options = model()
    except ValidationError:  # an option is required, so there are no default options
        return
    for name, field in model.model_fields.items():
        if other := next(_variants(model, field.alias or name, getattr(options, name)), None):
            yield name, options, other


def _variants(model: type[ComponentOptions], name: str, value: object) -> Iterator[ComponentOptions]:
    """Yield options in which one differs from a value; its type is known by what is valid."""
    numbers = [value + 1, value / 2, value * 2, value - 1] if isinstance(value, int | float) else []
    texts = _choices(model.model_json_schema().get("properties", {}).get(name, {}))
    for candidate in (not value, *numbers, *texts, f"{value}-other", 2, 0.25, "other", ["other"], {"other": 1}):
        try:
            options = model.model_validate({name: candidate})
        except (ValidationError, SpacrdError):
            continue
        if getattr(options, name, value) != value:
            yield options


def _choices(schema: Mapping[str, Any]) -> list[Any]:
    """Return the choices of an option that has some."""
    return [choice for part in (schema, *schema.get("anyOf", [])) for choice in part.get("enum", [])]
