"""The commands, in the order of the work they do. Nothing heavy is imported until a command runs."""

from __future__ import annotations

from typing import Annotated

import typer
from typer.core import TyperGroup

from spacrd_cli.commands import (
    demo,
    detect,
    doctor,
    embed,
    evaluate,
    export,
    hub,
    ingest,
    plugins,
    report,
    store,
    train,
)
from spacrd_core._version import __version__

ORDER = (
    *("ingest", "embed", "train", "detect", "evaluate", "report", "export"),
    *("plugins", "store", "doctor", "push", "pull", "demo"),
)


class InOrder(TyperGroup):
    """A group whose help lists commands and groups of commands together, in our order."""

    def list_commands(self, ctx: typer.Context) -> list[str]:  # type: ignore[override]
        """Return the names in the order of help."""
        return sorted(super().list_commands(ctx), key=ORDER.index)


app = typer.Typer(
    cls=InOrder,
    add_completion=False,
    pretty_exceptions_enable=False,
)
STEPS = (ingest.ingest, embed.embed, train.train, detect.detect, evaluate.evaluate, report.report, export.export)
for step in STEPS:
    app.command()(step)
app.add_typer(plugins.app, name="plugins")
app.add_typer(store.app, name="store")
app.command()(doctor.doctor)
app.command()(hub.push)
app.command()(hub.pull)
app.command()(demo.demo)


@app.callback(invoke_without_command=True)
def spacrd(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version and stop.")] = False,
    debug: Annotated[  # noqa: ARG001 - `main` takes it off the line; declared for the help
        bool, typer.Option("--debug", help="Show where an error came from; may stand anywhere on the line.")
    ] = False,
) -> None:
    """Find cancer tissue regions, spot by spot, from matched H&E and spatial transcriptomics."""
    if version:
        typer.echo(f"spacrd {__version__}")
    elif context.invoked_subcommand is None:
        typer.echo(context.get_help())
