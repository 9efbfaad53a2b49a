import threading
from collections.abc import Callable, Generator
from itertools import product

import numpy as np
import pytest

from spacrd_core.errors import CorruptStore
from spacrd_core.slide.chunks import CHUNKS_AHEAD, ChunkIndex, Chunks
from spacrd_core.slide.pyramid import Level

IMAGE = np.random.default_rng(0).integers(0, 255, (3, 1200, 1500), dtype=np.uint8)  # 3 x 3 chunks
NEEDS: list[list[ChunkIndex]] = [[(0, 0), (0, 1)], [], [(0, 1), (1, 1)], [(1, 1)], [(0, 0)], [(2, 2)]]


class RecordingImage:
    """An image that records which of its chunks were read; ``on_read`` runs in the reader thread."""

    shape = IMAGE.shape

    def __init__(self, on_read: Callable[[ChunkIndex], object] = lambda _: None) -> None:
        self.read: list[ChunkIndex] = []
        self.on_read = on_read

    def __getitem__(self, slices: tuple[slice, slice, slice]) -> np.ndarray:
        index = (slices[1].start // 512, slices[2].start // 512)
        self.read.append(index)
        self.on_read(index)
        return IMAGE[slices]

    def visit(
        self, needs: list[list[ChunkIndex]], reader_threads: int
    ) -> Generator[dict[ChunkIndex, np.ndarray], None, None]:
        return Chunks(Level(self, 1.0)).visit(needs, reader_threads=reader_threads)


@pytest.mark.parametrize("reader_threads", [1, 2, 7])
def test_every_need_gets_its_chunks_and_each_chunk_is_decoded_once(reader_threads: int) -> None:
    image = RecordingImage()
    for needed, chunks in zip(NEEDS, image.visit(NEEDS, reader_threads=reader_threads), strict=True):
        assert sorted(chunks) == sorted(needed)
        for (row, column), pixels in chunks.items():
            block = IMAGE[:, row * 512 : row * 512 + 512, column * 512 : column * 512 + 512]
            assert np.array_equal(pixels, block)
    assert sorted(image.read) == sorted({index for indices in NEEDS for index in indices})


def test_reader_threads_decode_in_parallel() -> None:
    together = threading.Barrier(3, timeout=20)
    image = RecordingImage(lambda _: together.wait())  # the barrier opens when three threads wait at it
    assert len(list(image.visit([[index] for index in product(range(3), range(2))], reader_threads=3))) == 6


def test_the_number_of_chunks_decoded_in_advance_is_limited() -> None:
    image = RecordingImage()
    needs = [[index] for index in product(range(3), range(3))]
    visits = image.visit(needs, reader_threads=1)
    next(visits)
    visits.close()
    assert len(image.read) <= 1 + CHUNKS_AHEAD


def test_an_error_in_a_reader_thread_is_raised_where_the_chunk_is_needed() -> None:
    def fail(index: ChunkIndex) -> None:
        if index == (1, 1):
            raise CorruptStore("damaged")

    visits = RecordingImage(fail).visit(NEEDS, reader_threads=2)
    assert next(visits)
    assert next(visits) == {}
    with pytest.raises(CorruptStore, match="damaged"):
        next(visits)


def test_no_needs_decode_nothing() -> None:
    assert list(RecordingImage().visit([], reader_threads=2)) == []
