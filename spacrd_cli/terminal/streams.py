"""Results alone go to stdout: what libraries and plugins print while a command runs goes to stderr."""

from __future__ import annotations

import json
import sys
from contextlib import redirect_stdout
from dataclasses import dataclass
from functools import wraps
from io import TextIOWrapper
from typing import TYPE_CHECKING, Any, TextIO

import typer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@dataclass
class _Reserved:
    stream: TextIO
    documented: bool = False


_reserved: list[_Reserved] = []


def results() -> TextIO:
    """Return the stream of results, which writes letters that its encoding does not have by their numbers."""
    stream = _reserved[-1].stream if _reserved else sys.stdout
    if isinstance(stream, TextIOWrapper) and stream.errors in {"strict", "surrogateescape"}:
        stream.reconfigure(errors="backslashreplace")
    return stream


def print_document(text: str) -> None:
    """Print the JSON document of a command, in ASCII where the encoding of stdout cannot represent all of it."""
    stream = results()
    try:
        text.encode(stream.encoding or "utf-8")
    except UnicodeEncodeError:
        text = json.dumps(json.loads(text), indent=2)
    typer.echo(text, file=stream)
    if _reserved:
        _reserved[-1].documented = True


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
        _reserved.append(_Reserved(sys.stdout))
        try:
            with redirect_stdout(sys.stderr):
                return command(*args, **kwargs)
        except Exception as error:  # whatever it is, it is raised again
            if kwargs.get("json") and not _reserved[-1].documented:
                _document_failure(error)
            raise
        finally:
            _reserved.pop()

    return run


def _document_failure(error: Exception) -> None:
    """Print the document of a command that failed as a whole; usage errors and exits have none."""
    if isinstance(error, typer.Exit | typer.Abort | typer.TyperException):
        return
    from spacrd_cli.terminal.errors import error_documents
    from spacrd_cli.terminal.output import as_json

    print_document(as_json({"failures": error_documents(error)}))
