"""Shares of one work for jobs that know nothing of each other: the I-th of N."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence

Item = TypeVar("Item")


@dataclass(frozen=True)
class Part:
    """The I-th of N parts, counted from 1; the first of one is all.

    >>> Part.parse("2/3").share(["a", "b", "c", "d", "e"])
    ['b', 'e']
    """

    number: int = 1
    parts: int = 1

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the part that ``I/N`` means.

        Raises
        ------
        ValueError
            If it is no part.
        """
        found = re.fullmatch(r"(\d+)/(\d+)", text)
        number, parts = (int(found[1]), int(found[2])) if found else (0, 0)
        if not 1 <= number <= parts:
            raise ValueError("a part reads I/N, from 1/N to N/N")
        return cls(number, parts)

    def share(self, items: Sequence[Item]) -> list[Item]:
        """Return this part's items: every N-th, so that all parts have as many of every kind."""
        return list(items[self.number - 1 :: self.parts])
