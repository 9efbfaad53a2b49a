"""Remove sections from a store.

Only the manifest changes. The files stay for readers that are at work, and garbage collection removes them later.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from spacrd_core.errors import UnknownSection
from spacrd_core.files import files_below

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from spacrd_core.store.folder import StoreFolder
    from spacrd_core.store.manifest import Manifest, SectionEntry


def remove_sections(store: StoreFolder, ids: Sequence[str]) -> list[SectionEntry]:
    """Remove sections with all that was made from them, and return their entries; all of them or none.

    Raises
    ------
    UnknownSection
        With every id that the store does not have; nothing is removed then.
    """
    removed: list[SectionEntry] = []

    def change(manifest: Manifest) -> Manifest:
        unknown = [name for name in ids if name not in manifest.sections]
        if unknown:
            raise UnknownSection(
                f"the store {store.path} has no section {' or '.join(map(repr, unknown))}; nothing was removed",
                hint=f"its sections are: {', '.join(manifest.sections) or 'none'}",
            )
        removed.extend(manifest.sections[name] for name in dict.fromkeys(ids))
        for entry in removed:
            _keep_from_garbage(store, entry)
        return manifest.without(set(ids))

    store.update(change)
    store.retire(record for entry in removed for record in entry.embeddings.values())
    return removed


def stored_bytes(store: StoreFolder, entry: SectionEntry) -> int:
    """Return the size of all files of a section."""
    return _bytes(store, (group.path for group in entry.groups))


def stored_counts_bytes(store: StoreFolder, entry: SectionEntry) -> int:
    """Return the size of the counts of a section, which is about that of an h5ad of it."""
    return _bytes(store, [entry.section.path])


def freed_bytes(store: StoreFolder, removed: Iterable[SectionEntry]) -> int:
    """Return the size of all files of removed sections that no other section uses, as parts share a slide."""
    listed = {group.path for entry in store.entries.values() for group in entry.groups}
    return _bytes(store, {group.path for entry in removed for group in entry.groups} - listed)


def _bytes(store: StoreFolder, groups: Iterable[str]) -> int:
    return sum(file.stat().st_size for group in groups for file in files_below(store.path / group))


def _keep_from_garbage(store: StoreFolder, entry: SectionEntry) -> None:
    """Let the grace period of the section's groups begin now, because readers may have opened them."""
    for group in entry.groups:
        folder = store.path / group.path
        if folder.is_dir():
            os.utime(folder)
