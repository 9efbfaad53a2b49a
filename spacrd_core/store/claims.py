"""Claims: which sections a running process writes. Temporary files of a section that nobody claims are left-overs.

A claim is a locked file. The operating system releases the lock when its process ends, however that happens.
"""

from __future__ import annotations

import shutil
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from spacrd_core.store.links import subfolders
from spacrd_core.store.locks import is_in_use, mark_in_use, remove_stale_locks
from spacrd_core.store.manifest import GROUP_KINDS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from spacrd_core.store.folder import StoreFolder

TEMPORARY = ".tmp-"  # the names of groups that are being written begin with it


@contextmanager
def claim(store: StoreFolder, section: str) -> Iterator[None]:
    """Claim a section inside the block, and remove the temporary folders that killed processes have left of it."""
    folder, is_new = store.inside("sections", section), not store.path.exists()
    with _removed_if_empty(store, folder, is_new=is_new), mark_in_use(folder) as own:
        # A process claims a section before it makes a folder. So if nobody else has a claim now, these are of the dead.
        leftovers = [each for kind in GROUP_KINDS for each in _temporary_folders(store.inside(kind, section))]
        if leftovers and not is_in_use(folder, apart_from=own):
            for leftover in leftovers:
                shutil.rmtree(leftover, ignore_errors=True)
        yield


@contextmanager
def _removed_if_empty(store: StoreFolder, folder: Path, *, is_new: bool) -> Iterator[None]:
    """Remove a folder, and a new store, after the block if they are empty."""
    try:
        yield
    finally:
        remove_if_empty(store, folder)
        if is_new:
            with suppress(OSError):
                store.path.rmdir()


def is_claimed(store: StoreFolder, section: str) -> bool:
    """Return whether a living process writes groups of a section."""
    folder = store.path / "sections" / section
    return not folder.is_symlink() and is_in_use(folder)


def remove_left_locks(store: StoreFolder, section: str) -> None:
    """Remove the lock files that killed processes have left of a section, whether or not there is work left on it."""
    for kind in GROUP_KINDS:
        remove_stale_locks(store.inside(kind, section))


def remove_if_empty(store: StoreFolder, folder: Path) -> None:
    """Remove a folder of a store and those that it is in, as far as they are empty; the store itself stays."""
    with suppress(OSError):  # not empty
        while folder != store.path:
            with suppress(FileNotFoundError):  # removed by another process, or never made
                folder.rmdir()
            folder = folder.parent


def _temporary_folders(folder: Path) -> list[Path]:
    return [each for each in subfolders(folder) if each.name.startswith(TEMPORARY)]
