"""Verify the groups of a store against its manifest, and remove the folders that the manifest does not list."""

from __future__ import annotations

import shutil
import time
from collections import defaultdict
from typing import TYPE_CHECKING

from spacrd_core.files import tree_sha256
from spacrd_core.progress import Track, silent
from spacrd_core.store.folder import PARTIAL
from spacrd_core.store.locks import any_piece_locked, is_in_use, lock_file, try_lock
from spacrd_core.store.manifest import GROUP_KINDS

if TYPE_CHECKING:
    from pathlib import Path

    from spacrd_core.store.folder import StoreFolder
    from spacrd_core.store.manifest import GroupRecord

GRACE_SECONDS = 3600.0


def verify(store: StoreFolder, *, track: Track = silent) -> list[str]:
    """Return one sentence for every group that is missing or has changed."""
    sections = defaultdict(list)  # parts of a capture area share its slide, which is read once
    for entry in store.entries.values():
        for group in entry.groups:
            sections[group.path, group.sha256].append((entry.id, group))
    findings = []
    for users in track(list(sections.values()), "verifying", len(sections)):
        group = users[0][1]
        if not (store.path / group.path).is_dir():
            findings += [f"section '{section}': {group.path} is missing" for section, _ in users]
        elif not is_sound(store, group):
            findings += [f"section '{section}': {group.path} has changed since it was written" for section, _ in users]
    return findings


def is_sound(store: StoreFolder, group: GroupRecord) -> bool:
    """Return whether a group exists and matches its checksum."""
    folder = store.path / group.path
    return folder.is_dir() and tree_sha256(folder) == group.sha256


def collect_garbage(store: StoreFolder, *, grace_seconds: float = GRACE_SECONDS) -> list[Path]:
    """Remove the folders that the manifest does not list and that have not changed for a while; return them.

    Unfinished work that another process has locked is kept, regardless of its age.
    """
    with store.locked() as manifest:
        listed = {store.path / group.path for entry in manifest.sections.values() for group in entry.groups}
        folders = [path for kind in GROUP_KINDS for path in sorted((store.path / kind).glob("*/*")) if path.is_dir()]
        removed = [folder for folder in folders if folder not in listed and _remove(folder, grace_seconds)]
        for section in {folder.parent for folder in removed}:
            if not any(section.iterdir()):
                section.rmdir()
    return removed


def _remove(folder: Path, grace_seconds: float) -> bool:
    """Remove a folder unless it is recent or in use; return whether it was removed."""
    with try_lock(lock_file(folder), wait=False) as acquired:
        if not acquired or _is_work_in_progress(folder) or time.time() - _last_modified(folder) < grace_seconds:
            return False
        shutil.rmtree(folder)
    return True


def _is_work_in_progress(folder: Path) -> bool:
    return folder.name.startswith(PARTIAL) and (any_piece_locked(folder) or is_in_use(folder.parent.parent))


def _last_modified(folder: Path) -> float:
    return max((_modified(path) for path in (folder, *folder.rglob("*"))), default=0.0)


def _modified(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:  # a writer removed its temporary file after it was listed
        return time.time()
