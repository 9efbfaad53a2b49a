"""Parts of the work for jobs that run without knowledge of each other: the I-th of N."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence

Item = TypeVar("Item")


@dataclass(frozen=True)
class Part:
    """The I-th of N parts, counted from 1; the default is the whole.

    >>> Part.parse("2/3").select(["a", "b", "c", "d", "e"])
    ['b', 'e']
    """

    number: int = 1
    parts: int = 1

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the part of a text ``I/N``.

        Raises
        ------
        ValueError
            If the text is not a part.
        """
        match = re.fullmatch(r"(\d+)/(\d+)", text)
        number, parts = (int(match[1]), int(match[2])) if match else (0, 0)
        if not 1 <= number <= parts:
            raise ValueError("a part reads I/N, from 1/N to N/N")
        return cls(number, parts)

    @property
    def folder(self) -> str:
        """The name of a folder for the files of this part; '' for the whole."""
        return f"part-{self.number}-of-{self.parts}" if self.parts > 1 else ""

    def select(self, items: Sequence[Item]) -> list[Item]:
        """Return the items of this part: every N-th, so that all parts have similar items."""
        return list(items[self.number - 1 :: self.parts])
