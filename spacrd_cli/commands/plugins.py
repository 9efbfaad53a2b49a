"""``spacrd plugins``: what is installed, what it says of itself, and whether it keeps its contract."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from spacrd_cli.commands.plugins_check import check
from spacrd_cli.groups import ListUnlessTold
from spacrd_cli.options import ComponentName, Json
from spacrd_cli.terminal.output import Output, table
from spacrd_core.errors import SpacrdError
from spacrd_core.plugins import Registry, describe, load_plugins, named, registries

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.table import Table

COLUMNS = ("kind", "name", "also", "what it is", "licence", "weights")

app = typer.Typer(cls=ListUnlessTold, help="List readers, encoders and heads; show one; check one.")


@app.command("list")
def list_plugins(json: Json = False) -> None:
    """List every reader, encoder and head, and what is wrong with any plugin."""
    found = load_plugins()
    out = Output(json=json)
    cards = [(registry.kind, card) for registry in registries(found) for card in registry]
    document = {"components": [{"kind": kind, **describe(card)} for kind, card in cards], "problems": found.problems}
    out.result(document, table(COLUMNS, [_row(kind, card) for kind, card in cards]))
    for problem in found.problems:
        out.warn(str(problem))


@app.command("show")
def show(name: ComponentName, json: Json = False) -> None:
    """Show what a component says of itself, and its options."""
    out, found = Output(json=json), named(load_plugins(), name)
    shown = [
        {"kind": registry.kind, **describe(card), "options": _options(out, registry, name)} for registry, card in found
    ]
    out.result({"components": shown}, *(drawing for facts in shown for drawing in _drawn(facts)))
    if any(card.family for _, card in found):
        out.warn(f"this is the family; whether '{name}' is there shows when it is used")


app.command("check")(check)


def _row(kind: str, card: Any) -> tuple[object, ...]:
    name = f"{card.name}:<name>" if card.family else card.name
    recipe = getattr(card, "recipe", None)
    if recipe is None:
        return (kind, name, card.aliases, card.summary, None, None)
    access = "none needed" if recipe.weights == "none" else "gated" if recipe.gated else "open"
    return (kind, name, card.aliases, card.summary, recipe.licence, access)


def _drawn(facts: dict[str, Any]) -> Iterator[Table]:
    """Draw a component: what it is, then its options."""
    yield table(("", ""), _flat({key: value for key, value in facts.items() if key != "options"}))
    options = facts["options"].items()
    if options:
        named_options = [(f"{facts['kind']}.{key}", fact["default"], fact["meaning"]) for key, fact in options]
        yield table(("--set", "default", "meaning"), named_options)


def _flat(facts: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, object]]:
    """Yield every fact with its path, those of a part as ``part.fact``; numbers as exact as they are."""
    for key, value in facts.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}.")
        elif value is not None:
            several = isinstance(value, list) and ", ".join(map(str, value))
            yield f"{prefix}{key}", several or (str(value) if isinstance(value, float) else value)


def _options(out: Output, registry: Registry[Any], name: str) -> dict[str, dict[str, object]]:
    """Return the default and the meaning of every option; the class has to be imported for that."""
    try:
        fields = registry.load(name).Options.model_fields
    except (SpacrdError, AttributeError) as error:
        out.warn(f"its options cannot be shown: {error}")
        return {}
    return {
        key: {
            "default": None if field.is_required() else field.get_default(call_default_factory=True),
            "meaning": field.description or "",
        }
        for key, field in fields.items()
    }
