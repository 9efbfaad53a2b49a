"""The text that a user sees for an error, and its exit code."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import typer

from spacrd_core.errors import SpacrdError
from spacrd_core.memory import out_of_memory
from spacrd_core.plugin_errors import describe_error as describe
from spacrd_core.quoting import MAX_ITEMS, bounded, printable
from spacrd_core.system_errors import explain

BUG = "this is a bug in SpaCRD; run the same command with --debug and send us its output"


def describe_error(error: BaseException) -> tuple[str, int]:
    """Return the text for stderr and the exit code of an error."""
    if isinstance(error, typer.TyperException):
        return _usage(error)
    if isinstance(error, typer.Abort):
        return "stopped", 1
    return "\n".join(printable(bounded(line)) for line in _lines(error)), 1


def error_documents(error: Exception) -> list[dict[str, str]]:
    """Return what ``--json`` says about an error, or about every error of a group: where, what and the remedy."""
    if isinstance(error, ExceptionGroup):
        inner = [(child, document) for child in error.exceptions for document in error_documents(child)]
        notes = "; ".join(getattr(error, "__notes__", ()))
        return [{**document, "where": document["where"] or notes} for _, document in inner]
    where = "; ".join(error.context) if isinstance(error, SpacrdError) else ""
    return [{"where": where, "error": str(error), "hint": getattr(error, "hint", "")}]


def failures(errors: Iterable[Exception]) -> list[dict[str, str]]:
    """Return what ``--json`` says about all errors of a command that went on without the sections that failed."""
    return [document for error in errors for document in error_documents(error)]


def raise_failures(errors: list[Exception], *, done: int) -> None:
    """Raise the errors of the sections that failed beside those that are done; nothing without errors."""
    if errors:
        count = done + len(errors)
        raise errors[0] if count == 1 else ExceptionGroup(f"{len(errors)} of {count} sections failed", errors)


def _lines(error: BaseException) -> Iterator[str]:
    if isinstance(error, SpacrdError):
        yield f"error: {error}"
        yield from (f"  {note}" for note in error.context)
        if error.hint:
            yield f"hint: {error.hint}"
    elif isinstance(error, ExceptionGroup) and error.split(SpacrdError)[1] is None:
        yield f"error: {error.message}"
        leaves = list(_leaves(error))
        yield from (f"  - {prefix}{leaf}" for prefix, leaf in leaves)
        hints = list(dict.fromkeys(leaf.hint for _, leaf in leaves if leaf.hint))
        yield from (f"hint: {hint}" for hint in hints[:MAX_ITEMS])
        if len(hints) > MAX_ITEMS:
            yield f"hint: {len(hints) - MAX_ITEMS} more are left out"
    elif isinstance(error, OSError) and (explained := explain(error)):
        yield from _lines(explained)
    elif isinstance(error, OSError) and error.errno is not None:
        path = f": {error.filename}" if error.filename else ""
        yield f"error: operating system error: {error.strerror}{path}"
    elif isinstance(error, MemoryError):
        yield from _lines(out_of_memory(error))
    else:
        yield f"error: {describe(error)}"
        yield f"hint: {BUG}"


def _leaves(group: ExceptionGroup[Exception], prefix: str = "") -> Iterator[tuple[str, SpacrdError]]:
    """Yield every error of a nested group, with the notes on its origin as a prefix."""
    for error in group.exceptions:
        notes = error.context if isinstance(error, SpacrdError) else getattr(error, "__notes__", ())
        inside = prefix + "".join(f"{note}: " for note in notes)
        if isinstance(error, ExceptionGroup):
            yield from _leaves(error, inside)
        elif isinstance(error, SpacrdError):
            yield inside, error


def _usage(error: typer.TyperException) -> tuple[str, int]:
    context = getattr(error, "ctx", None)
    hint = f"\nhint: {context.command_path} --help" if context else ""
    return f"error: {printable(bounded(error.format_message()))}{hint}", error.exit_code
