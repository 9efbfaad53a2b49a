"""Entry point: run a command, and turn any error into a message and an exit code."""

from __future__ import annotations

import sys
import traceback
from typing import TYPE_CHECKING

from spacrd_cli.app import app
from spacrd_cli.terminal.errors import INTERRUPTED, describe_error
from spacrd_core.plugin_errors import failure_in_plugin

if TYPE_CHECKING:
    from collections.abc import Sequence


def main() -> None:
    """Run the command of this process and exit with its code."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run a command and return its exit code: 0 done, 1 an explained error, 2 a usage error, 130 interrupted."""
    arguments, debug = take_debug(arguments)
    try:
        # Outside standalone mode Typer returns the code of an `Exit` (an interrupt is one) and raises everything else.
        code = app(list(arguments), prog_name="spacrd", standalone_mode=False) or 0
    except KeyboardInterrupt:
        code = 130
    except BaseException as error:
        reason = failure_in_plugin(error)
        if reason is None and not isinstance(error, Exception):
            raise
        text, code = describe_error(reason or error)
        if debug and code != 2:
            traceback.print_exception(error)
        print(text, file=sys.stderr)  # noqa: T201 - the console may be what failed
    if code == 130:
        print(INTERRUPTED, file=sys.stderr)  # noqa: T201
    return int(code)


def take_debug(arguments: Sequence[str]) -> tuple[list[str], bool]:
    """Return the arguments without ``--debug``, accepted anywhere before a ``--``, and whether it was present."""
    options = list(arguments)
    end = options.index("--") if "--" in options else len(options)
    remaining = [argument for argument in options[:end] if argument != "--debug"]
    return remaining + options[end:], len(remaining) < end
