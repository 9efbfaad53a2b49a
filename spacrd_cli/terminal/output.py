"""The output of a command: results to stdout, notes and progress to stderr."""

from __future__ import annotations

import sys
from functools import cached_property
from typing import TYPE_CHECKING

from pydantic_core import to_json
from rich.console import Console
from rich.text import Text

from spacrd_cli.terminal.errors import printable
from spacrd_cli.terminal.progress import Bars, Lines
from spacrd_core.progress import silent
from spacrd_core.quoting import bounded

if TYPE_CHECKING:
    from rich.console import RenderableType

    from spacrd_core.progress import Track

UNLIMITED = 10_000  # columns of a pipe, a file, and of a table that is asked for as a whole


class Output:
    """The output of one command.

    >>> out = Output(json=False, quiet=False)
    >>> out.result({"spots": 346}, table(["section", "spots"], [["A1", 346]]))
    """

    def __init__(self, *, json: bool = False, quiet: bool = False, wide: bool = False) -> None:
        self.json = json
        self.quiet = quiet
        self.wide = wide
        self.console = _console(to_stderr=True)

    def result(self, document: object, *renderables: RenderableType) -> None:
        """Print the document as JSON with ``--json``, and the renderables without."""
        if self.json:
            sys.stdout.write(as_json(document) + "\n")
            return
        console = _console(to_stderr=False)
        if self.wide:
            console.width = UNLIMITED
        for renderable in renderables:
            console.print(renderable)

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


def as_json(document: object) -> str:
    """Return a JSON document, with null for NaN and infinity, which JSON cannot represent."""
    return to_json(document, indent=2, inf_nan_mode="null", fallback=_to_builtin).decode()


def _to_builtin(value: object) -> object:
    to_list = getattr(value, "tolist", None)  # NumPy arrays and scalars
    return to_list() if to_list else str(value)


def _console(*, to_stderr: bool) -> Console:
    console = Console(stderr=to_stderr, highlight=False, soft_wrap=False)
    if not console.is_terminal:
        console.width = UNLIMITED
    return console
