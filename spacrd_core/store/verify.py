"""Hold a store against its manifest, and clear what the manifest does not know."""

from __future__ import annotations

import shutil
import time
from typing import TYPE_CHECKING

from spacrd_core.files import tree_sha256
from spacrd_core.progress import Track, silent

if TYPE_CHECKING:
    from pathlib import Path

    from spacrd_core.store.store import SpotStore

KINDS = ("sections", "slides", "embeddings", "predictions")
GRACE_SECONDS = 3600.0


def verify(store: SpotStore, *, track: Track = silent) -> list[str]:
    """Return a sentence for every group that is missing or changed; empty when the store is whole."""
    groups = [(entry.id, group) for entry in store.entries.values() for group in entry.groups]
    findings = []
    for section, group in track(groups, "verifying", len(groups)):
        folder = store.path / group.path
        if not folder.is_dir():
            findings.append(f"section '{section}': {group.path} is missing")
        elif tree_sha256(folder) != group.sha256:
            findings.append(f"section '{section}': {group.path} has changed since it was written")
    return findings


def garbage(store: SpotStore, *, grace_seconds: float = GRACE_SECONDS) -> list[Path]:
    """Return the folders that no manifest entry stands for and that nobody has touched for a while."""
    known = {store.path / group.path for entry in store.entries.values() for group in entry.groups}
    folders = [folder for kind in KINDS for folder in sorted((store.path / kind).glob("*/*")) if folder not in known]
    return [folder for folder in folders if time.time() - _last_touched(folder) >= grace_seconds]


def collect_garbage(store: SpotStore, *, grace_seconds: float = GRACE_SECONDS) -> list[Path]:
    """Remove the garbage and return what was removed."""
    removed = garbage(store, grace_seconds=grace_seconds)
    for folder in removed:
        shutil.rmtree(folder)
        if not any(folder.parent.iterdir()):
            folder.parent.rmdir()
    return removed


def _last_touched(folder: Path) -> float:
    return max(path.stat().st_mtime for path in (folder, *folder.rglob("*")))
