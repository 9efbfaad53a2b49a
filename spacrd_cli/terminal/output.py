"""The output of a command: results to stdout, notes and progress to stderr."""

from __future__ import annotations

import json
import re
from functools import cached_property
from typing import TYPE_CHECKING, Any

import typer
from pydantic_core import to_json
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from spacrd_cli.terminal.progress import Bars, Lines
from spacrd_cli.terminal.streams import results
from spacrd_core.progress import silent
from spacrd_core.quoting import bounded, printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.console import RenderableType

    from spacrd_core.progress import Track

# What changes a terminal's state or the order of its letters, and JSON leaves as it is; a document has it as \uXXXX.
CONTROL = re.compile(r"[\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]")
NON_TERMINAL_WIDTH = 240  # a pipe or a file has no width; rich assumes 80 columns, which would wrap cells


class Output:
    """The output of one command.

    >>> out = Output(json=False, quiet=False)
    >>> out.result({"spots": 346}, table(["section", "spots"], [["A1", 346]]))
    """

    def __init__(self, *, json: bool = False, quiet: bool = False) -> None:
        self.json = json
        self.quiet = quiet
        self.console = _console(to_stderr=True)

    def result(self, document: object, *renderables: RenderableType) -> None:
        """Print the document as JSON with ``--json``, and the renderables without."""
        if self.json:
            typer.echo(as_json(document), file=results())
            return
        console = _console(to_stderr=False)
        for renderable in renderables:
            console.print(Text(bounded(printable(renderable))) if isinstance(renderable, str) else renderable)

    def info(self, sentence: str) -> None:
        """Print a sentence on stderr, unless ``--quiet`` is set."""
        if not self.quiet:
            self.console.print(Text(bounded(printable(sentence))))

    def warn(self, sentence: str) -> None:
        """Print a note on stderr, even with ``--quiet``."""
        self.console.print(Text(f"note: {bounded(printable(sentence))}"))

    @cached_property
    def track(self) -> Track:
        """Progress: bars on a terminal, plain lines elsewhere, nothing with ``--quiet``."""
        if self.quiet:
            return silent
        return Bars(self.console) if self.console.is_interactive else Lines(self.info)


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, title: str | None = None) -> Table:
    """Return a table with right-aligned numbers and a dash for None; it has a header if any column has a name."""
    cells = [list(row) for row in rows]
    heading = None if title is None else Text(printable(title))
    style: dict[str, Any] = {"title_justify": "left", "box": box.SIMPLE_HEAD, "pad_edge": False}
    result = Table(title=heading, show_header=any(columns), **style)
    for index, column in enumerate(columns):
        values = [row[index] for row in cells if row[index] is not None]
        numeric = all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)
        result.add_column(Text(printable(column)), justify="right" if numeric and values else "left", overflow="fold")
    for row in cells:
        result.add_row(*(Text(_cell(value)) for value in row))
    return result


def as_json(document: object) -> str:
    """Return a JSON document, with null for NaN and infinity, which JSON cannot represent."""
    text = to_json(document, indent=2, inf_nan_mode="null", fallback=_to_builtin).decode()
    return CONTROL.sub(lambda match: json.dumps(match[0])[1:-1], text)


def _to_builtin(value: object) -> object:
    to_list = getattr(value, "tolist", None)  # NumPy arrays and scalars
    return to_list() if to_list else str(value)


def _cell(value: object) -> str:
    if value is None or value == "":
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list | tuple):
        return ", ".join(map(_cell, value)) or "-"
    return bounded(printable(str(value)))


def _console(*, to_stderr: bool) -> Console:
    console = Console(file=None if to_stderr else results(), stderr=to_stderr, highlight=False, soft_wrap=False)
    if not console.is_terminal:
        console.width = NON_TERMINAL_WIDTH
    return console
