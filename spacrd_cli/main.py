"""Entry point: run a command, and turn any error into a message and an exit code."""

from __future__ import annotations

import sys
from contextlib import suppress

from spacrd_cli.interruption import Interruption

# Nothing else is imported here, so that signals are handled as soon as possible.


def main() -> None:
    """Run the command of this process and exit with its code."""
    interruption = Interruption()
    try:
        interruption.listen()
        _silence_libraries()
        code = interruption.finish(run(sys.argv[1:], interruption))
    except KeyboardInterrupt:
        code = interruption.finish(_report(interruption))
    interruption.leave(code)


def _silence_libraries() -> None:
    """Ignore warnings of libraries, here and in workers, unless ``--debug`` or ``python -W`` was given.

    SpaCRD itself reports what users should know.
    """
    if sys.warnoptions or take_debug(sys.argv[1:])[1]:
        return
    import os
    import warnings

    warnings.simplefilter("ignore")
    os.environ["PYTHONWARNINGS"] = "ignore"


def run(arguments: list[str], interruption: Interruption | None = None) -> int:
    """Run a command and return its exit code.

    It is 0 if done, 1 after an explained error, 2 after a usage error, 128 plus the number of the signal (130 after
    Ctrl-C) if interrupted.
    """
    interruption = interruption or Interruption()
    arguments, debug = take_debug(arguments)
    try:
        from spacrd_cli.app import app

        # Outside standalone mode Typer returns the code of an `Exit` (an interrupt is one) and raises everything else.
        code = int(app(arguments, prog_name="spacrd", standalone_mode=False) or 0)
    except KeyboardInterrupt:
        return _report(interruption)
    except BaseException as error:  # noqa: BLE001 - it is explained, or raised again
        if interruption.number:  # it is a consequence
            return _report(interruption)
        code = _report_error(error, debug=debug)
    return _report(interruption) if interruption.number or code == 130 else code


def take_debug(arguments: list[str]) -> tuple[list[str], bool]:
    """Return the arguments without ``--debug``, accepted anywhere before a ``--``, and whether it was present."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    remaining = [argument for argument in arguments[:end] if argument != "--debug"]
    return remaining + arguments[end:], len(remaining) < end


def _report_error(error: BaseException, *, debug: bool) -> int:
    """Explain an error on stderr and return the exit code."""
    import traceback

    from spacrd_cli.terminal.errors import describe_error
    from spacrd_core.plugin_errors import failure_in_plugin

    reason = failure_in_plugin(error)
    if reason is None and not isinstance(error, Exception):
        raise error
    text, code = describe_error(reason or error)
    if debug and code != 2:
        traceback.print_exception(error)
    print(text, file=sys.stderr)  # noqa: T201 - the console may be what failed
    return code


def _report(interruption: Interruption) -> int:
    """Say that the command was interrupted and return the exit code."""
    with suppress(OSError):  # the terminal is closed
        print(interruption.message, file=sys.stderr, flush=True)  # noqa: T201
    return interruption.exit_code
