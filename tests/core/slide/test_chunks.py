from __future__ import annotations

import threading
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
import pytest

from spacrd_core.errors import CorruptStore
from spacrd_core.slide.chunks import AHEAD, Chunks, Place
from spacrd_core.slide.pyramid import Level

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

IMAGE = np.random.default_rng(0).integers(0, 255, (3, 1200, 1500), dtype=np.uint8)  # 3 x 3 chunks
NEEDS: list[list[Place]] = [[(0, 0), (0, 1)], [], [(0, 1), (1, 1)], [(1, 1)], [(0, 0)], [(2, 2)]]


class Watched:
    """An image that says which of its chunks were read; ``meanwhile`` happens in the thread that reads."""

    shape = IMAGE.shape

    def __init__(self, meanwhile: Callable[[Place], object] = lambda _: None) -> None:
        self.read: list[Place] = []
        self.meanwhile = meanwhile

    def __getitem__(self, where: tuple[slice, slice, slice]) -> np.ndarray:
        place = (where[1].start // 512, where[2].start // 512)
        self.read.append(place)
        self.meanwhile(place)
        return IMAGE[where]

    def visit(self, needs: list[list[Place]], readers: int) -> Generator[dict[Place, np.ndarray], None, None]:
        return Chunks(Level(self, 1.0)).visit(needs, readers=readers)


@pytest.mark.parametrize("readers", [1, 2, 7])
def test_every_need_gets_its_chunks_and_every_chunk_is_decoded_once(readers: int) -> None:
    image = Watched()
    for needed, held in zip(NEEDS, image.visit(NEEDS, readers=readers), strict=True):
        assert sorted(held) == sorted(needed)
        for (row, column), pixels in held.items():
            block = IMAGE[:, row * 512 : row * 512 + 512, column * 512 : column * 512 + 512]
            assert np.array_equal(pixels, block)
    assert sorted(image.read) == sorted({place for places in NEEDS for place in places})


def test_readers_decode_side_by_side() -> None:
    together = threading.Barrier(3, timeout=20)
    image = Watched(lambda _: together.wait())  # a barrier opens when three threads are at it
    assert len(list(image.visit([[place] for place in product(range(3), range(2))], readers=3))) == 6


def test_no_more_is_decoded_ahead_than_readers_may_have_ready() -> None:
    image = Watched()
    needs = [[place] for place in product(range(3), range(3))]
    visits = image.visit(needs, readers=1)
    next(visits)
    visits.close()
    assert len(image.read) <= 1 + AHEAD


def test_what_goes_wrong_in_a_reader_is_raised_where_the_chunk_is_needed() -> None:
    def fail(place: Place) -> None:
        if place == (1, 1):
            raise CorruptStore("damaged")

    visits = Watched(fail).visit(NEEDS, readers=2)
    assert next(visits)
    assert next(visits) == {}
    with pytest.raises(CorruptStore, match="damaged"):
        next(visits)


def test_no_needs_decode_nothing() -> None:
    assert list(Watched().visit([], readers=2)) == []
