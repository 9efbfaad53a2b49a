"""Write a new zarr group into an empty folder that nobody reads yet.

A group of AnnData has a hundred small files of metadata, and zarr writes each again for every attribute that it gets.
Here they are kept in memory until the group is complete, and each is written once.
"""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, NoReturn

import zarr
from zarr.storage import MemoryStore

if TYPE_CHECKING:
    from collections.abc import Iterator

    from zarr.core.buffer import Buffer

METADATA = "zarr.json"


@contextmanager
def new_group(folder: Path, *, consolidated: bool = False) -> Iterator[Any]:
    """Yield a zarr v3 group to fill, in an empty folder; its metadata is on disk when the block ends without an error.

    Raises
    ------
    FileExistsError
        If the folder is not empty, or a chunk is written twice.
    FileNotFoundError
        If the folder vanishes meanwhile.
    """
    if any(folder.iterdir()):
        raise FileExistsError(f"{folder} is not empty")
    store = _NewFolder(folder)
    yield zarr.open_group(store, mode="w", zarr_format=3)
    if consolidated:
        zarr.consolidate_metadata(store)
    store.write_metadata()


class _NewFolder(MemoryStore):
    """Metadata in memory, chunks on disk: each is written once, and never read, changed or removed."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder
        self._made = {PurePosixPath()}

    async def set(self, key: str, value: Buffer, byte_range: tuple[int, int] | None = None) -> None:
        if byte_range is not None:
            raise NotImplementedError("a new group has no chunk to change a part of")
        self.set_sync(key, value)

    def set_sync(self, key: str, value: Buffer) -> None:
        if key.endswith(METADATA):
            self._store_dict[key] = value
        else:
            self._write(key, value)

    async def delete(self, key: str) -> None:
        if not key.endswith(METADATA) and (self._folder / key).exists():
            raise FileExistsError(f"{self._folder / key} was written, and cannot be removed from a new group")
        await super().delete(key)

    def with_read_only(self, read_only: bool = False) -> NoReturn:  # noqa: FBT001, FBT002 (as in zarr)
        raise NotImplementedError("a new group can only be written")

    def write_metadata(self) -> None:
        """Write the metadata, that of the group itself last."""
        for key in sorted(self._store_dict, key=lambda key: key.count("/"), reverse=True):
            self._write(key, self._store_dict[key])

    def _write(self, key: str, value: Buffer) -> None:
        """Write a file. Its parents are made, but not the folder itself: if that has vanished, chunks are lost."""
        for parent in reversed(PurePosixPath(key).parents):
            if parent not in self._made:
                (self._folder / parent).mkdir(exist_ok=True)
                self._made.add(parent)
        with (self._folder / key).open("xb") as file:
            file.write(value.as_buffer_like())
