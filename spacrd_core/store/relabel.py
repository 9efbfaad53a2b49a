"""Replace the labels of a section: a new group with the same counts, then one change of the manifest."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spacrd_core.errors import CorruptStore, StoreError
from spacrd_core.store.elements import write_spots
from spacrd_core.store.entry import label_facts, source_records
from spacrd_core.store.links import entries_below
from spacrd_core.store.verify import is_sound
from spacrd_core.store.write import staged

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spacrd_core.section.section import Section
    from spacrd_core.store.manifest import GroupRecord, Manifest, SectionEntry
    from spacrd_core.store.store import SpotStore


def replace_labels(
    store: SpotStore, entry: SectionEntry, labelled: Section, *, identity: str, given: Mapping[str, Any]
) -> SectionEntry:
    """Give a section the spots and labels of ``labelled``, unless it has changed since ``entry`` was read.

    All other groups stay: cells, slide, embeddings and predictions depend on the counts and positions alone.
    """
    with store.writing(entry.id):
        return _replace_labels(store, entry, labelled, identity, given)


def _replace_labels(
    store: SpotStore, entry: SectionEntry, labelled: Section, identity: str, given: Mapping[str, Any]
) -> SectionEntry:
    group = _write_group(store, entry, labelled, identity)
    others = tuple(note for note in entry.notes if note not in entry.label_notes)
    new = entry.model_copy(
        update={
            **label_facts(labelled),
            "identity": identity,
            "notes": (*others, *labelled.notes),
            "sources": source_records(labelled.sources),
            "given": dict(given),
            "section": group,
        }
    )

    def change(manifest: Manifest) -> Manifest:
        current = manifest.sections.get(entry.id)
        if current is None or current.identity != entry.identity:
            raise StoreError(f"section '{entry.id}' was replaced while this command ran", hint="run the command again")
        groups = {"embeddings": current.embeddings, "predictions": current.predictions}  # may be new
        return manifest.with_entry(new.model_copy(update=groups))

    current = store.update(change).sections[entry.id]
    store.begin_grace([entry.section])
    return current


def _write_group(store: SpotStore, entry: SectionEntry, labelled: Section, identity: str) -> GroupRecord:
    """Write the group of the section with other spots; the counts are copied as they are."""
    if not is_sound(store, entry.section):  # a copy would get a valid checksum
        raise CorruptStore(
            f"{store.path / entry.section.path} is damaged", hint="ingest the section again with --replace"
        )
    with staged(store, "sections", entry.id) as folder:
        _copy(store.path / entry.section.path, folder)
        write_spots(labelled.counts.obs, folder)
        return store.publish_group(folder, identity)


def _copy(source: Path, folder: Path) -> None:
    """Copy the files below a folder; the first that cannot be written ends it."""
    for entry in entries_below(source):
        target = folder / Path(entry.path).relative_to(source)
        if entry.is_dir(follow_symlinks=False):
            target.mkdir()
        else:
            shutil.copy2(entry.path, target, follow_symlinks=False)
