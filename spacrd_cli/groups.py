"""Groups of commands of which one runs when none is named."""

from __future__ import annotations

import typer
from typer.core import TyperGroup


class ListUnlessTold(TyperGroup):
    """A group whose command ``list`` runs when none is named."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]
        """Put ``list`` before options that stand alone."""
        if not args or (args[0].startswith("-") and args[0] not in ctx.help_option_names):
            args = ["list", *args]
        return super().parse_args(ctx, args)
