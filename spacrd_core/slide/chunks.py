"""The stored chunks of a level, each decoded once however many patches lie on it."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np

from spacrd_core.slide.shards import Shards
from spacrd_core.threads import ahead

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from spacrd_core.arrays import UInt8Array
    from spacrd_core.slide.pyramid import Level

Place = tuple[int, int]
SIDE = 512  # of what is read at a time where nothing is stored in chunks
AHEAD = 2  # chunks a reader may have ready


@dataclass(frozen=True)
class Chunks:
    """The chunks of a level, by row and column."""

    level: Level

    @cached_property
    def side(self) -> int:
        """Height and width of a chunk in px."""
        return int(getattr(self.level.array, "chunks", (SIDE,))[-1])

    def visit(
        self, needs: Sequence[Sequence[Place]], *, readers: int
    ) -> Generator[dict[Place, UInt8Array], None, None]:
        """Yield the chunks of every need, one need after the other.

        A chunk is decoded once, by one of ``readers`` threads and before it is asked for, and is let go after the last
        need it is part of.
        """
        order = dict.fromkeys(chain.from_iterable(needs))
        last = {place: number for number, places in enumerate(needs) for place in places}
        held: dict[Place, UInt8Array] = {}
        with closing(ahead(self.read, order, threads=readers, most=AHEAD * readers)) as arriving:
            coming = zip(order, arriving, strict=True)
            for number, places in enumerate(needs):
                while not held.keys() >= set(places):
                    held.update([next(coming)])
                yield {place: held[place] for place in places}
                for place in places:
                    if last[place] == number:
                        del held[place]

    def read(self, place: Place) -> UInt8Array:
        """Return a chunk, 3 x height x width; what lies beyond the level's edge is left out.

        Raises
        ------
        CorruptStore
            If it cannot be decoded.
        """
        (top, left), level = (at * self.side for at in place), self.level
        bottom, right = min(top + self.side, level.height), min(left + self.side, level.width)
        if self._shards:
            return self._shards.chunk(*place)[:, : bottom - top, : right - left]
        return np.moveaxis(level.read(top, bottom, left, right), -1, 0)

    @cached_property
    def _shards(self) -> Shards | None:
        return Shards.of(self.level.array)
