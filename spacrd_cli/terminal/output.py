"""The output of a command: results to stdout, notes and progress to stderr."""

from __future__ import annotations

import json
import re
from functools import cached_property
from typing import TYPE_CHECKING

from pydantic_core import to_json
from rich.console import Console
from rich.text import Text

from spacrd_cli.terminal.progress import Bars, Lines
from spacrd_cli.terminal.streams import print_document, results
from spacrd_core.progress import silent
from spacrd_core.quoting import bounded, printable

if TYPE_CHECKING:
    from rich.console import RenderableType

    from spacrd_core.progress import Track

UNLIMITED = 10_000  # columns of a pipe, a file, and of a table that is asked for as a whole
# What changes a terminal's state or the order of its letters, and JSON leaves as it is; a document has it as \uXXXX.
CONTROL = re.compile(r"[\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]")


class Output:
    """The output of one command.

    >>> out = Output(json=False, quiet=False)
    >>> out.result({"spots": 346}, FittedTable(["section", "spots"], [["A1", 346]]))
    """

    def __init__(self, *, json: bool = False, quiet: bool = False, wide: bool = False) -> None:
        self.json = json
        self.quiet = quiet
        self.wide = wide
        self.console = _console(to_stderr=True)

    def result(self, document: object, *renderables: RenderableType) -> None:
        """Print the document as JSON with ``--json``, and the renderables without."""
        if self.json:
            print_document(as_json(document))
            return
        console = _console(to_stderr=False)
        if self.wide:
            console.width = UNLIMITED
        for renderable in renderables:
            console.print(Text(bounded(printable(renderable))) if isinstance(renderable, str) else renderable)

    def info(self, sentence: str) -> None:
        """Print a sentence on stderr, unless ``--quiet`` is set."""
        if not self.quiet:
            self.console.print(Text(bounded(printable(sentence))))

    def note(self, sentence: str) -> None:
        """Print a note on stderr, unless ``--quiet`` is set: what deviates, and needs no action."""
        if not self.quiet:
            self._marked("note", "cyan", sentence)

    def warn(self, sentence: str) -> None:
        """Print a warning on stderr, even with ``--quiet``."""
        self._marked("warning", "bold yellow", sentence)

    @cached_property
    def track(self) -> Track:
        """Progress: bars on a terminal, plain lines elsewhere, nothing with ``--quiet``."""
        if self.quiet:
            return silent
        return Bars(self.console) if self.console.is_interactive else Lines(self.info)

    def _marked(self, word: str, style: str, sentence: str) -> None:
        self.console.print(Text.assemble((f"{word}: ", style), bounded(printable(sentence))))


def as_json(document: object) -> str:
    """Return a JSON document, with null for NaN and infinity, which JSON cannot represent."""
    text = to_json(document, indent=2, inf_nan_mode="null", fallback=_to_builtin).decode()
    return CONTROL.sub(lambda match: json.dumps(match[0])[1:-1], text)


def _to_builtin(value: object) -> object:
    to_list = getattr(value, "tolist", None)  # NumPy arrays and scalars
    return to_list() if to_list else str(value)


def _console(*, to_stderr: bool) -> Console:
    console = Console(file=None if to_stderr else results(), stderr=to_stderr, highlight=False, soft_wrap=False)
    if not console.is_terminal:
        console.width = UNLIMITED
    return console
