"""The Typer application: all commands in workflow order. No heavy library is imported until a command runs."""

from __future__ import annotations

from typing import Annotated

import typer

from spacrd_cli.command_help import SETTINGS, Command, Group
from spacrd_cli.commands import (
    call,
    demo,
    detect,
    doctor,
    embed,
    evaluate,
    export,
    hub,
    ingest,
    plot,
    plugins,
    report,
    store,
    suggest,
    train,
)
from spacrd_cli.terminal.streams import reserve_stdout
from spacrd_core._version import __version__

COMMAND_ORDER = (
    "call",
    *("ingest", "embed", "train", "detect", "evaluate", "report", "export", "plot", "suggest"),
    *("plugins", "store", "doctor", "push", "pull", "demo"),
)


class WorkflowOrder(Group):
    """A group whose help lists commands and subgroups together, in workflow order."""

    def list_commands(self, ctx: typer.Context) -> list[str]:  # type: ignore[override]
        """Return the command names in workflow order."""
        return sorted(super().list_commands(ctx), key=COMMAND_ORDER.index)


app = typer.Typer(
    cls=WorkflowOrder,
    context_settings=SETTINGS,
    pretty_exceptions_enable=False,
)
WORKFLOW_COMMANDS = (
    call.call,
    ingest.ingest,
    embed.embed,
    train.train,
    detect.detect,
    evaluate.evaluate,
    report.report,
    export.export,
    plot.plot,
    suggest.suggest,
)
for command in WORKFLOW_COMMANDS:
    app.command(cls=Command)(command)
app.add_typer(plugins.app, name="plugins")
app.add_typer(store.app, name="store")
app.command(cls=Command)(doctor.doctor)
app.command(cls=Command)(hub.push)
app.command(cls=Command)(hub.pull)
app.command(cls=Command)(demo.demo)
reserve_stdout(app)


@app.callback(invoke_without_command=True)
def spacrd(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False,
    debug: Annotated[  # noqa: ARG001 - `main` removes it from the arguments; declared here for the help
        bool,
        typer.Option("--debug", help="Show the traceback of an error and warnings of libraries; accepted anywhere."),
    ] = False,
) -> None:
    """Find cancer tissue regions, spot by spot, from matched H&E and spatial transcriptomics."""
    if version:
        typer.echo(f"spacrd {__version__}")
    elif context.invoked_subcommand is None:
        typer.echo(context.get_help())
