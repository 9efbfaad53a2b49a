"""Remove what the manifest of a store does not list: superseded groups, and what killed processes have left."""

from __future__ import annotations

import shutil
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from spacrd_core.store.claims import TEMPORARY, is_claimed
from spacrd_core.store.folder import FAILURES_FOLDER, MANIFEST_FILE, PARTIAL
from spacrd_core.store.links import entries_below, link_on_the_way, subfolders
from spacrd_core.store.locks import any_piece_locked, is_in_use, lock_file, remove_stale_locks, try_lock
from spacrd_core.store.manifest import GROUP_KINDS

if TYPE_CHECKING:
    from spacrd_core.store.folder import StoreFolder

GRACE_SECONDS = 3600.0


def collect_garbage(store: StoreFolder, *, grace_seconds: float = GRACE_SECONDS) -> list[Path]:
    """Remove the folders that the manifest does not list and that have not changed for a while; return them.

    What a process was writing when it was killed is removed at once; the work of living processes is kept, regardless
    of its age. Links are neither removed nor followed; see :func:`find_links`.
    """
    removed: list[Path] = []
    with store.locked() as manifest:
        listed = {store.path / group.path for entry in manifest.sections.values() for group in entry.groups}
        for section in (each for kind in GROUP_KINDS for each in subfolders(store.path / kind)):
            folders = [folder for folder in subfolders(section) if folder not in listed]
            if not is_claimed(store, section.name):
                removed += [folder for folder in folders if _remove(folder, grace_seconds)]
            remove_stale_locks(section)
            with suppress(OSError):  # not empty
                section.rmdir()
        _remove_litter(store)
    return removed


def find_links(store: StoreFolder) -> list[Path]:
    """Return the links in a store that its commands refuse, or ignore where the manifest lists nothing behind them."""
    folders = [store.path / kind for kind in GROUP_KINDS if not (store.path / kind).is_symlink()]
    entries = (entry for folder in folders if folder.is_dir() for entry in entries_below(folder, in_use=True))
    return [Path(entry.path) for entry in entries if entry.is_symlink()]


def _remove(folder: Path, grace_seconds: float) -> bool:
    """Remove a folder unless it is recent or in use; return whether it was removed."""
    if lock_file(folder).is_symlink():
        return False
    with try_lock(lock_file(folder), wait=False) as acquired:
        if not acquired or _is_work_in_progress(folder) or _is_recent(folder, grace_seconds):
            return False
        try:
            shutil.rmtree(folder)
        except FileNotFoundError:  # its process has just published or removed it
            return False
    return True


def _is_work_in_progress(folder: Path) -> bool:
    return folder.name.startswith(PARTIAL) and (any_piece_locked(folder) or is_in_use(folder.parent.parent))


def _is_recent(folder: Path, grace_seconds: float) -> bool:
    """Return whether a folder may still be read; a date far in the future means that the clock was set back."""
    if folder.name.startswith(TEMPORARY):
        return False
    return abs(time.time() - _last_modified(folder)) < grace_seconds


def _last_modified(folder: Path) -> float:
    inner = (entry.stat(follow_symlinks=False).st_mtime for entry in entries_below(folder))
    try:
        return max((folder.lstat().st_mtime, *inner))
    except FileNotFoundError:  # a writer removed its temporary file after it was listed
        return time.time()


def _remove_litter(store: StoreFolder) -> None:
    """Remove the files that killed processes have left; nobody else writes such files while the store is locked."""
    (store.path / MANIFEST_FILE).with_suffix(".json.new").unlink(missing_ok=True)
    failures = store.path / FAILURES_FOLDER
    if not link_on_the_way(store.path, failures):
        for file in failures.glob(".*"):
            if not file.is_dir():
                file.unlink()
    remove_stale_locks(store.path / "embeddings")
