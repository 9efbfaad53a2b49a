"""The stored chunks of a level, each decoded once for all patches that overlap it."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np

from spacrd_core.threads import prefetch

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from spacrd_core.arrays import UInt8Array
    from spacrd_core.slide.pyramid import Level

ChunkIndex = tuple[int, int]
DEFAULT_SIDE = 512  # px read at a time from an array that is not stored in chunks
CHUNKS_AHEAD = 2  # chunks that a reader thread may decode in advance


@dataclass(frozen=True)
class Chunks:
    """The chunks of a level, by row and column."""

    level: Level

    @cached_property
    def side(self) -> int:
        """Height and width of a chunk in px."""
        return int(getattr(self.level.array, "chunks", (DEFAULT_SIDE,))[-1])

    def visit(
        self, needs: Sequence[Sequence[ChunkIndex]], *, reader_threads: int
    ) -> Generator[dict[ChunkIndex, UInt8Array], None, None]:
        """Yield the chunks of every entry of ``needs``, in order.

        A chunk is decoded once, in advance, by one of ``reader_threads`` threads. It is released after the last entry
        that contains it.
        """
        order = dict.fromkeys(chain.from_iterable(needs))
        last_use = {index: number for number, indices in enumerate(needs) for index in indices}
        held: dict[ChunkIndex, UInt8Array] = {}
        with closing(
            prefetch(self.read, order, threads=reader_threads, max_ahead=CHUNKS_AHEAD * reader_threads)
        ) as decoded:
            chunks = zip(order, decoded, strict=True)
            for number, indices in enumerate(needs):
                while not held.keys() >= set(indices):
                    held.update([next(chunks)])
                yield {index: held[index] for index in indices}
                for index in indices:
                    if last_use[index] == number:
                        del held[index]

    def read(self, index: ChunkIndex) -> UInt8Array:
        """Return a chunk, 3 x height x width, cropped at the level's edge.

        Raises
        ------
        CorruptStore
            If it cannot be decoded.
        """
        (top, left), level = (number * self.side for number in index), self.level
        bottom, right = min(top + self.side, level.height), min(left + self.side, level.width)
        if level.shards:
            return level.shards.chunk(*index)[:, : bottom - top, : right - left]
        return np.moveaxis(level.read(top, bottom, left, right), -1, 0)
