"""``spacrd plugins``: list the installed components, describe one, check one against its contract."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from spacrd_cli.command_help import SETTINGS, Command, Group
from spacrd_cli.commands.plugins_check import check
from spacrd_cli.options import ComponentName, Json, Wide
from spacrd_cli.terminal.output import Output
from spacrd_cli.terminal.tables import Column, FittedTable
from spacrd_core.errors import SpacrdError
from spacrd_core.plugins import Registry, describe, load_plugins

if TYPE_CHECKING:
    from collections.abc import Iterator


COMPONENT_COLUMNS = (
    *("kind", "name", Column("aliases", 4), Column("description", line=True), Column("licence", 3)),
    Column("weights", 2),
)


class ListByDefault(Group):
    """A group whose command ``list`` runs if none is named."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]
        """Insert ``list`` before options without a command."""
        if not args or (args[0].startswith("-") and args[0] not in ctx.help_option_names):
            args = ["list", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    context_settings=SETTINGS, cls=ListByDefault, help="List readers, encoders and heads; show one; check one."
)


@app.command("list", cls=Command)
def list_plugins(json: Json = False, wide: Wide = False) -> None:
    """List every reader, encoder and head, and the problems of plugins."""
    plugins = load_plugins()
    out = Output(json=json, wide=wide)
    cards = [(registry.kind, card) for registry in plugins.registries for card in registry]
    document = {"components": [{"kind": kind, **describe(card)} for kind, card in cards], "problems": plugins.problems}
    out.result(document, FittedTable(COMPONENT_COLUMNS, [_row(kind, card) for kind, card in cards]))
    for problem in plugins.problems:
        out.warn(str(problem))


@app.command("show", cls=Command)
def show(name: ComponentName, json: Json = False) -> None:
    """Show the description of a component and its options."""
    out, matches = Output(json=json), load_plugins().find(name)
    components = [
        {"kind": registry.kind, **describe(card), "options": _options(out, registry, name)}
        for registry, card in matches
    ]
    out.result({"components": components}, *(part for facts in components for part in _tables(facts)))
    if any(card.family for _, card in matches):
        out.note(f"this is the family; whether '{name}' exists is known only when it is used")


app.command("check", cls=Command)(check)


def _row(kind: str, card: Any) -> tuple[object, ...]:
    name = f"{card.name}:<name>" if card.family else card.name
    recipe = getattr(card, "recipe", None)
    if recipe is None:
        return (kind, name, card.aliases, card.summary, None, None)
    access = "none needed" if recipe.weights == "none" else "gated" if recipe.gated else "open"
    return (kind, name, card.aliases, card.summary, recipe.licence, access)


def _tables(facts: dict[str, Any]) -> Iterator[FittedTable]:
    """Yield the tables of a component: its description, then its options."""
    yield FittedTable(
        ("", Column("", prose=True)), _flat({key: value for key, value in facts.items() if key != "options"})
    )
    options = facts["options"].items()
    if options:
        named_options = [(f"{facts['kind']}.{key}", fact["default"], fact["meaning"]) for key, fact in options]
        yield FittedTable(("--set", "default", Column("meaning", prose=True)), named_options)


def _flat(facts: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, object]]:
    """Yield every fact with its path, nested facts as ``part.fact``, and numbers in full precision."""
    for key, value in facts.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}.")
        elif value is not None:
            joined = isinstance(value, list) and ", ".join(map(str, value))
            yield f"{prefix}{key}", joined or (str(value) if isinstance(value, float) else value)


def _options(out: Output, registry: Registry[Any], name: str) -> dict[str, dict[str, object]]:
    """Return the default and the meaning of every option, for which the class is imported."""
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
