"""Where a command writes: results to stdout, chatter and progress to stderr."""

from __future__ import annotations

import sys
from functools import cached_property
from typing import TYPE_CHECKING

from pydantic_core import to_json
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from spacrd_cli.terminal.errors import printable
from spacrd_cli.terminal.progress import Bars, Lines
from spacrd_core.progress import silent

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.console import RenderableType

    from spacrd_core.progress import Track

WIDE = 240  # a pipe or a file has no right edge: cells are not to be cut at the 80 columns rich supposes


class Output:
    """The output of one command.

    >>> out = Output(json=False, quiet=False)
    >>> out.result({"spots": 346}, table(["section", "spots"], [["A1", 346]]))
    """

    def __init__(self, *, json: bool = False, quiet: bool = False) -> None:
        self.json = json
        self.quiet = quiet
        self.chatter = _console(to_stderr=True)

    def result(self, document: object, *drawn: RenderableType) -> None:
        """Print the document as JSON with ``--json``, and what is drawn of it without."""
        if self.json:
            sys.stdout.write(as_json(document) + "\n")
            return
        console = _console(to_stderr=False)
        for part in drawn:
            console.print(part)

    def say(self, sentence: str) -> None:
        """Tell the user something on stderr, unless they want quiet."""
        if not self.quiet:
            self.chatter.print(Text(printable(sentence)))

    def warn(self, sentence: str) -> None:
        """Tell the user something they should know, quiet or not."""
        self.chatter.print(Text(f"note: {printable(sentence)}"))

    @cached_property
    def track(self) -> Track:
        """Progress: bars on a terminal, plain lines elsewhere, nothing with ``--quiet``."""
        if self.quiet:
            return silent
        return Bars(self.chatter) if self.chatter.is_interactive else Lines(self.say)


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, title: str | None = None) -> Table:
    """Return a table, with no heading where no column has a name; numbers stand to the right, None is a dash."""
    cells = [list(row) for row in rows]
    drawn = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False, show_header=any(columns))
    for place, column in enumerate(columns):
        given = [row[place] for row in cells if row[place] is not None]
        numeric = all(isinstance(value, int | float) and not isinstance(value, bool) for value in given)
        drawn.add_column(column, justify="right" if numeric and given else "left", overflow="fold")
    for row in cells:
        drawn.add_row(*(Text(_cell(value)) for value in row))
    return drawn


def as_json(document: object) -> str:
    """Return a JSON document; a value that is no number in JSON (NaN, infinity) is null."""
    return to_json(document, indent=2, inf_nan_mode="null", fallback=_plain).decode()


def _plain(value: object) -> object:
    to_list = getattr(value, "tolist", None)  # numpy's arrays and scalars
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
    return printable(str(value))


def _console(*, to_stderr: bool) -> Console:
    console = Console(stderr=to_stderr, highlight=False, soft_wrap=False)
    if not console.is_terminal:
        console.width = WIDE
    return console
