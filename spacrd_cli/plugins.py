"""``spacrd plugins``: what is installed, what it says of itself, and whether it keeps its contract."""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperGroup

from spacrd_cli.options import Json
from spacrd_cli.output import Output, table
from spacrd_core.cards import Card
from spacrd_core.plugins import Plugins, Registry, describe, load_plugins

COLUMNS = ("kind", "name", "also", "what it is")


class ListUnlessTold(TyperGroup):
    """A group whose command ``list`` runs when none is named."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]
        """Put ``list`` before options that stand alone."""
        if not args or (args[0].startswith("-") and args[0] not in ctx.help_option_names):
            args = ["list", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(cls=ListUnlessTold, help="List readers, encoders and heads; show one; check one.")


@app.command("list")
def list_plugins(json: Json = False) -> None:
    """List every reader, encoder and head, and what is wrong with any plugin."""
    found = load_plugins()
    out = Output(json=json)
    document = {"components": [_facts(kind, card) for kind, card in _cards(found)], "problems": found.problems}
    rows = [
        (kind, f"{card.name}:..." if card.family else card.name, card.aliases, card.summary)
        for kind, card in _cards(found)
    ]
    out.result(document, table(COLUMNS, rows))
    for problem in found.problems:
        out.warn(str(problem))


def _cards(found: Plugins) -> list[tuple[str, Card]]:
    registries: tuple[Registry[Any], ...] = (found.readers, found.encoders, found.heads)
    return [(registry.kind, card) for registry in registries for card in registry]


def _facts(kind: str, card: Card) -> dict[str, object]:
    return {"kind": kind, **describe(card)}
