"""Walk through the heaps of an HDF5 file, where texts are, before its library does.

The library goes from object to object by their sizes and does not check them: a size of zero keeps it at one object for
ever, and no signal reaches Python. (HDF5 file format specification 3.0, III.E: global heap.)
"""

from __future__ import annotations

import os
import struct
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

START = b"GCOL\x01\0\0\0"
HEADER, OBJECT = struct.Struct("<8sQ"), struct.Struct("<HHIQ")
BLOCK = 2**24
MAX_HEAP_BYTES = 2**30  # one text may be a heap


def require_sound_heaps(path: Path) -> None:
    """Require that every object in the heaps of an HDF5 file is followed by another one, or by the end of its heap.

    Raises
    ------
    ValueError
        If one is not.
    """
    facts = path.stat()
    if (place := _unsound(os.fspath(path), facts.st_size, facts.st_mtime_ns)) is not None:
        raise ValueError(f"its heap of texts at byte {place:,} is damaged")


@lru_cache(maxsize=64)  # several readers look at a file before one reads it
def _unsound(path: str, size: int, modified: int) -> int | None:  # noqa: ARG001 - tells a changed file from a known one
    """Return where the first unsound heap of a file begins; None without one."""
    with open(path, "rb") as stream:  # noqa: PTH123 - the key of the cache is text
        for place in _heaps(stream.fileno(), size):
            _, length = HEADER.unpack(os.pread(stream.fileno(), HEADER.size, place))
            if HEADER.size <= length <= min(size - place, MAX_HEAP_BYTES):
                heap = os.pread(stream.fileno(), length, place)
                if not _is_sound(heap):
                    return place
    return None


def _heaps(file: int, size: int) -> Iterator[int]:
    """Yield where heaps begin."""
    for start in range(0, size, BLOCK):
        block = os.pread(file, BLOCK + HEADER.size, start)
        at = block.find(START)
        while 0 <= at < BLOCK and start + at + HEADER.size <= size:
            yield start + at
            at = block.find(START, at + 1)


def _is_sound(heap: bytes) -> bool:
    place = HEADER.size
    while place + OBJECT.size <= len(heap):
        index, _, _, size = OBJECT.unpack_from(heap, place)
        needed = OBJECT.size + -(-size // 8) * 8 if index else size
        if needed < OBJECT.size or place + needed > len(heap):
            return False
        place += needed
    return True
