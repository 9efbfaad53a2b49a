"""The one door: runs a command, and turns what went wrong into a sentence and an exit code."""

from __future__ import annotations

import sys
import traceback
from typing import TYPE_CHECKING

from spacrd_cli.app import app
from spacrd_cli.terminal.errors import INTERRUPTED, explain

if TYPE_CHECKING:
    from collections.abc import Sequence


def main() -> None:
    """Run the command of this process and leave with its exit code."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run a command; return 0 done, 1 an error that was explained, 2 usage, 130 interrupted."""
    arguments, debug = take_debug(arguments)
    try:
        # Outside its standalone mode Typer returns the code of an `Exit` (an interrupt is one) and raises all else.
        code = app(list(arguments), prog_name="spacrd", standalone_mode=False) or 0
    except KeyboardInterrupt:
        code = 130
    except Exception as error:  # noqa: BLE001 - the one door: nothing leaves it but text and an exit code
        text, code = explain(error)
        if debug and code != 2:
            traceback.print_exception(error)
        print(text, file=sys.stderr)  # noqa: T201 - the console may be what failed
    if code == 130:
        print(INTERRUPTED, file=sys.stderr)  # noqa: T201
    return int(code)


def take_debug(arguments: Sequence[str]) -> tuple[list[str], bool]:
    """Return the arguments without ``--debug``, which may stand anywhere before a ``--``, and whether it was there."""
    options = list(arguments)
    end = options.index("--") if "--" in options else len(options)
    kept = [argument for argument in options[:end] if argument != "--debug"]
    return kept + options[end:], len(kept) < end
