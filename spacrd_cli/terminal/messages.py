"""Notes and warnings about sections: shared ones are printed once, warnings follow the notes, and both are counted."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING

from spacrd_core.quoting import listed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from spacrd_cli.terminal.output import Output

    About = tuple[str, str]  # a section, and a sentence about it

DETAIL = re.compile(r"\([^()]*\)|\S+\.[A-Za-z]\w*|\d[\d.,]*")  # in parentheses, names of files, numbers


def report(out: Output, notes: Iterable[About], warnings: Iterable[About], *, more: str = "") -> None:
    """Print notes, warnings after them, and their numbers; ``more`` is the command that shows all of a section."""
    noted, warned = grouped(notes), grouped(warnings)
    for sentence in noted:
        out.note(sentence)
    for sentence in warned:
        out.warn(sentence)
    if len(noted) + len(warned) > 1:
        counts = ((len(warned), "warning"), (len(noted), "note"))
        counted = " and ".join(f"{number} {word}{'s' * (number > 1)}" for number, word in counts if number)
        out.info(f"{counted}{more and f'; {more} shows those of one section'}")


def grouped(sentences: Iterable[About]) -> list[str]:
    """Return one line for all sections whose sentences differ only in numbers, files and what is in parentheses.

    >>> grouped([("A1", "positions left out: 2 (17x14, 18x20)"), ("B4", "positions left out: 1 (18x20)")])
    ['2 sections (A1, B4), such as A1: positions left out: 2 (17x14, 18x20)']
    """
    groups: dict[str, list[About]] = defaultdict(list)
    for section, sentence in sentences:
        groups[_kind(section, sentence)].append((section, sentence))
    return [_sentence(group) for group in groups.values()]


def _kind(section: str, sentence: str) -> str:
    return DETAIL.sub("#", re.sub(rf"(?<!\w){re.escape(section)}(?!\w)", "#", sentence))


def _sentence(group: list[About]) -> str:
    section, sentence = group[0]
    sections = list(dict.fromkeys(section for section, _ in group))
    if len(sections) == 1:
        return "; ".join([f"{section}: {sentence}", *(other for _, other in group[1:])])
    where = f"{len(sections)} sections ({listed(sections)}{', some several times' * (len(group) > len(sections))})"
    same = len({sentence for _, sentence in group}) == 1
    return f"{where}: {sentence}" if same else f"{where}, such as {section}: {sentence}"
