"""Write a new zarr group into a folder that nobody reads yet.

A group of AnnData has a hundred small files of metadata, and zarr writes each again for every attribute that it gets.
Here they are kept in memory until the group is complete, and each is written once.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import zarr
from zarr.storage import MemoryStore

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from zarr.core.buffer import Buffer

METADATA = "zarr.json"


@contextmanager
def new_group(folder: Path) -> Iterator[Any]:
    """Yield a zarr v3 group to fill; it is complete on disk, with consolidated metadata, when the block ends."""
    store = _NewFolder(folder)
    yield zarr.open_group(store, mode="w", zarr_format=3)
    zarr.consolidate_metadata(store)
    store.write_metadata()


class _NewFolder(MemoryStore):
    """Metadata in memory, chunks on disk: they are written once, and never read before the group is complete."""

    def __init__(self, folder: Path) -> None:
        self._metadata: dict[str, Buffer] = {}
        super().__init__(self._metadata)
        self._folder = folder

    async def set(self, key: str, value: Buffer, byte_range: tuple[int, int] | None = None) -> None:
        if key.endswith(METADATA):
            await super().set(key, value, byte_range)
        else:
            self._write(key, value)

    def write_metadata(self) -> None:
        for key, value in self._metadata.items():
            self._write(key, value)

    def _write(self, key: str, value: Buffer) -> None:
        file = self._folder / key
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(value.as_buffer_like())
