"""Results alone go to stdout: what libraries and plugins print while a command runs goes to stderr."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from functools import wraps
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import typer

_results: list[TextIO] = []


def results() -> TextIO:
    """Return the stream of results."""
    return _results[-1] if _results else sys.stdout


def reserve_stdout(app: typer.Typer) -> None:
    """Let every command of an application keep stdout for its results."""
    for command in _commands(app):
        if command.callback:
            command.callback = _with_stdout_reserved(command.callback)


def _commands(app: typer.Typer) -> Iterator[typer.models.CommandInfo]:
    yield from app.registered_commands
    for group in app.registered_groups:
        if group.typer_instance:
            yield from _commands(group.typer_instance)


def _with_stdout_reserved(command: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(command)
    def run(*args: Any, **kwargs: Any) -> Any:
        _results.append(sys.stdout)
        try:
            with redirect_stdout(sys.stderr):
                return command(*args, **kwargs)
        finally:
            _results.pop()

    return run
