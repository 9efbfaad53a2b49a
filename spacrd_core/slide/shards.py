"""Read chunks directly from the shards that SpaCRD writes.

zarr serves every read from one event loop, which takes 2 ms per chunk of 512 px with any number of threads; the codecs
alone take 0.4 to 0.8 ms. The layout is that of zarr's ``sharding_indexed``: consecutive chunks, followed by an index of
their offsets and lengths, with a checksum. A chunk of JPEG has one, too; zstd verifies its own.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from zarr.storage import LocalStore

from spacrd_core.errors import CorruptStore, StoreError
from spacrd_core.slide.decode import CHECKSUM_BYTES, DECODERS, verified
from spacrd_core.threads import parallel_map

if TYPE_CHECKING:
    from collections.abc import Callable

    from spacrd_core.arrays import Array

MAX_CHUNKS, MAX_CHUNK_PX = 2**16, 2**13  # ours are 2 x 16 in a shard, of 512 px
NOT_STORED = 2**64 - 1
INDEX_CODECS = ["bytes", "crc32c"]
REPAIR_HINT = "ingest the section again with --replace; spacrd store verify STORE finds all damage"


@dataclass(frozen=True)
class Shards:
    """The shards of 3 x height x width bytes in a folder; ``chunk`` is thread-safe.

    ``shape`` is the shape of a chunk, ``rows`` and ``columns`` the number of chunks per shard. Chunks and shards that
    are all background are not stored.
    """

    folder: Path
    file_name: Callable[[tuple[int, ...]], str]
    shape: tuple[int, int, int]
    rows: int
    columns: int
    background: int
    decode: Callable[[bytes, tuple[int, int, int]], Array]
    repair: str = REPAIR_HINT
    _indices: dict[Path, Array] = field(default_factory=dict, repr=False)

    @classmethod
    def from_array(cls, array: Any, *, repair: str = REPAIR_HINT) -> Self | None:
        """Return the shards of an array with the layout of SpaCRD's slides, or None for any other array."""
        if not isinstance(getattr(array, "store", None), LocalStore) or not array.shards:
            return None
        layout = array.metadata.codecs[0].to_dict()["configuration"]
        codecs, index_codecs = ([codec["name"] for codec in layout[key]] for key in ("codecs", "index_codecs"))
        decode = DECODERS.get(tuple(codecs))
        if decode is None or index_codecs != INDEX_CODECS or layout["index_location"] != "end":
            return None
        depth, rows, columns = (shard // chunk for shard, chunk in zip(array.shards, array.chunks, strict=True))
        if array.dtype != np.uint8 or depth != 1 or array.chunks[1] != array.chunks[2]:
            return None
        if rows * columns > MAX_CHUNKS or array.chunks[1] > MAX_CHUNK_PX:
            raise CorruptStore(
                f"{array.store_path} has shards of {rows} x {columns} chunks of {array.chunks}", hint=repair
            )
        folder = Path(array.store.root, array.path)
        name, background = array.metadata.encode_chunk_key, int(array.fill_value)
        return cls(folder, name, array.chunks, rows, columns, background, decode, repair)

    def chunk(self, row: int, column: int) -> Array:
        """Return a chunk, 3 x height x width.

        Raises
        ------
        CorruptStore
            If its shard is damaged.
        StoreError
            If this user may not read it.
        """
        path = self.folder / self.file_name((0, row // self.rows, column // self.columns))
        try:
            begin, length = self._index(path)[row % self.rows, column % self.columns].tolist()
            if begin == NOT_STORED:
                return np.full(self.shape, self.background, dtype=np.uint8)
            return self.decode(_read(path, begin, length), self.shape)
        except PermissionError as error:
            raise StoreError(
                f"{path} may not be read: its permissions do not allow it",
                hint="ask the owner of the store for read permission",
            ) from error
        except (OSError, ValueError, RuntimeError, LookupError, TypeError, ArithmeticError, MemoryError) as error:
            raise CorruptStore(f"{path} cannot be read: {error}", hint=self.repair) from error

    def rectangle(self, top: int, bottom: int, left: int, right: int) -> Array:
        """Return a rectangle inside the array, height x width x 3.

        Raises
        ------
        CorruptStore
            If one of its shards is damaged.
        """
        side = self.shape[-1]
        pixels: Array = np.empty((bottom - top, right - left, 3), dtype=np.uint8)

        def fill(corner: tuple[int, int]) -> None:
            row, column = corner
            rows, columns = (max(row, top), min(row + side, bottom)), (max(column, left), min(column + side, right))
            chunk = self.chunk(row // side, column // side)
            part = chunk[:, rows[0] - row : rows[1] - row, columns[0] - column : columns[1] - column]
            pixels[rows[0] - top : rows[1] - top, columns[0] - left : columns[1] - left] = np.moveaxis(part, 0, -1)

        parallel_map(fill, product(range(top - top % side, bottom, side), range(left - left % side, right, side)))
        return pixels

    def _index(self, path: Path) -> Array:
        """Return the offset and length of each chunk of a shard."""
        if path not in self._indices:
            size = 16 * self.rows * self.columns
            index = verified(_tail(path, size + CHECKSUM_BYTES)) if path.exists() else b"\xff" * size
            self._indices[path] = np.frombuffer(index, dtype="<u8").reshape(self.rows, self.columns, 2)
        return self._indices[path]


def _tail(path: Path, size: int) -> bytes:
    with path.open("rb") as stream:
        stream.seek(-size, os.SEEK_END)
        return stream.read()


def _read(path: Path, begin: int, length: int) -> bytes:
    with path.open("rb") as stream:
        stream.seek(begin)
        return stream.read(length)
