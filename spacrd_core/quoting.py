"""Values and lists from outside, as messages quote them: a message is never as long as its input."""

from __future__ import annotations

import shlex
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_LENGTH, MAX_ITEMS = 80, 10
MAX_MISTAKE = 300  # a sentence about a value
MAX_ARGUMENT = 1000  # a path that a shell gets must be whole
MAX_MESSAGE = 2000  # a sentence with two paths and a list


def shortened(value: object, length: int = MAX_LENGTH) -> str:
    """Return a value as text of at most so many characters."""
    text = str(value)
    return text if len(text) <= length else f"{text[: length - 3]}..."


def listed(values: Iterable[object], *, separator: str = ", ", quote: str = "", length: int = MAX_LENGTH) -> str:
    """Return the first ten values, each of at most so many characters, and how many more there are.

    >>> listed(["S1", "S2"]), listed(range(12), separator=" or ")
    ('S1, S2', '0 or 1 or 2 or 3 or 4 or 5 or 6 or 7 or 8 or 9 and 2 more')
    """
    items = list(values)
    shown = separator.join(f"{quote}{shortened(item, length)}{quote}" for item in islice(items, MAX_ITEMS))
    return f"{shown} and {len(items) - MAX_ITEMS} more" if len(items) > MAX_ITEMS else shown


def printable(text: str) -> str:
    """Return text as one line without control characters: a name can neither control a terminal nor add a line.

    Signs that change the direction of letters are control characters, too.
    """
    return "".join(map(_printable, text))


def _printable(character: str) -> str:
    if character.isprintable():
        return character
    return " " if character.isspace() else "\N{REPLACEMENT CHARACTER}"


def command(*parts: object) -> str:
    """Return a command of ours for a shell: no name from outside ends it and begins another, or is an option.

    >>> command("embed", Path("-s"), "--encoder", "uni; rm -rf ~")
    "spacrd embed ./-s --encoder 'uni; rm -rf ~'"
    """
    arguments = [f"./{part}" if isinstance(part, Path) and str(part).startswith("-") else part for part in parts]
    return shlex.join(["spacrd", *(shortened(argument, MAX_ARGUMENT) for argument in arguments)])


def bounded(message: str) -> str:
    """Return a message without its middle if it is longer than any should be."""
    if len(message) <= MAX_MESSAGE:
        return message
    begin, end = message[: MAX_MESSAGE * 3 // 4], message[-MAX_MESSAGE // 5 :]
    return f"{begin} ... ({len(message) - len(begin) - len(end)} characters left out) ... {end}"
