"""What an error says to the user, and the exit code it means."""

from __future__ import annotations

from collections.abc import Iterator

import typer

from spacrd_core.errors import SpacrdError

INTERRUPTED = "interrupted; finished work is kept"
BUG = "this is a bug in SpaCRD; run the same command with --debug to see where, and send us what it prints"


def explain(error: Exception) -> tuple[str, int]:
    """Return the text for stderr and the exit code of an error."""
    if isinstance(error, typer.TyperException):
        return _usage(error)
    if isinstance(error, typer.Abort):
        return "stopped", 1
    return printable("\n".join(_lines(error))), 1


def _lines(error: Exception) -> Iterator[str]:
    if isinstance(error, SpacrdError):
        yield f"error: {error}"
        yield from (f"  {note}" for note in error.context)
        if error.hint:
            yield f"hint: {error.hint}"
    elif isinstance(error, ExceptionGroup) and error.split(SpacrdError)[1] is None:
        yield f"error: {error.message}"
        reasons = list(_reasons(error))
        yield from (f"  - {where}{reason}" for where, reason in reasons)
        yield from dict.fromkeys(f"hint: {reason.hint}" for _, reason in reasons if reason.hint)
    elif isinstance(error, OSError) and error.errno is not None:
        where = f": {error.filename}" if error.filename else ""
        yield f"error: the system refused: {error.strerror}{where}"
    else:
        yield f"error: {type(error).__name__}: {error}"
        yield f"hint: {BUG}"


def _reasons(group: ExceptionGroup[Exception], where: str = "") -> Iterator[tuple[str, SpacrdError]]:
    """Yield every error of a group, with the notes that say where it was."""
    for error in group.exceptions:
        notes = error.context if isinstance(error, SpacrdError) else getattr(error, "__notes__", ())
        inside = where + "".join(f"{note}: " for note in notes)
        if isinstance(error, ExceptionGroup):
            yield from _reasons(error, inside)
        elif isinstance(error, SpacrdError):
            yield inside, error


def _usage(error: typer.TyperException) -> tuple[str, int]:
    context = getattr(error, "ctx", None)
    hint = f"\nhint: {context.command_path} --help" if context else ""
    return printable(f"error: {error.format_message()}{hint}"), error.exit_code


def printable(text: str) -> str:
    """Return text without control characters: what a file is named must not steer the terminal."""
    return "".join(sign if sign.isprintable() or sign == "\n" else "\N{REPLACEMENT CHARACTER}" for sign in text)
