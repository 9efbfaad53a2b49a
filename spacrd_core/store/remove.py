"""Remove sections from a store.

Only the manifest changes. The files stay for readers that are at work, and garbage collection removes them later.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from spacrd_core.errors import UnknownSection
from spacrd_core.quoting import listed
from spacrd_core.store.links import entries_below, link_on_the_way

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
            names = listed(unknown, separator=" or ", quote="'")
            raise UnknownSection(
                f"the store {store.path} has no section {names}; nothing was removed",
                hint=f"its sections are: {listed(manifest.sections) or 'none'}",
            )
        removed.extend(manifest.sections[name] for name in dict.fromkeys(ids))
        for entry in removed:
            store.begin_grace(entry.groups)
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
    folders = (store.path / group for group in groups)
    inside = [folder for folder in folders if folder.is_dir() and not link_on_the_way(store.path, folder)]
    entries = (entry for folder in inside for entry in entries_below(folder))
    return sum(entry.stat(follow_symlinks=False).st_size for entry in entries if entry.is_file(follow_symlinks=False))
