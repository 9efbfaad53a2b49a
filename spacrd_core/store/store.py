"""The spot store: sections, slides, embeddings and predictions as immutable groups behind one manifest.

A writer fills a temporary sibling, forces it to disk and renames it; then the manifest is replaced under a lock.
Readers trust only the manifest, so a store is whole whenever it is looked at.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import zarr
from filelock import FileLock, Timeout

from spacrd_core.cards import Recipe
from spacrd_core.detector.config import DetectorConfig
from spacrd_core.errors import CorruptStore, MissingFile, StoreBusy, StoreError, UnknownSection
from spacrd_core.files import publish, tree_sha256
from spacrd_core.slide.pyramid import Pyramid
from spacrd_core.store.groups import read_section, read_table, write_table
from spacrd_core.store.manifest import (
    EmbeddingRecord,
    GroupRecord,
    Manifest,
    SectionEntry,
    read_manifest,
    write_manifest,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import anndata as ad
    import numpy as np
    import pandas as pd

MANIFEST = "spacrd.json"
LOCK = "spacrd.lock"
LOCK_SECONDS = 60.0


@dataclass(frozen=True)
class Embedding:
    """One encoder's embeddings of a section: spots x dim ``values``, each patch's share inside the image."""

    values: np.ndarray[Any, np.dtype[np.float32]]
    coverage: np.ndarray[Any, np.dtype[np.float32]]
    encoder: str
    recipe: Recipe


class SpotStore:
    """A spot store in a folder."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def open(cls, path: Path) -> SpotStore:
        """Return the store in a folder.

        Raises
        ------
        MissingFile
            If the folder holds no store.
        """
        if not (path / MANIFEST).is_file():
            raise MissingFile(f"there is no spot store at {path}", hint=f"spacrd ingest {path} SECTION...")
        return cls(path)

    @classmethod
    def create(cls, path: Path) -> SpotStore:
        """Return the store in a folder that may be new or empty; nothing is written before the first section.

        Raises
        ------
        StoreError
            If the folder holds other things.
        """
        foreign = path.exists() and not (path / MANIFEST).is_file()
        if foreign and (not path.is_dir() or any(path.iterdir())):
            raise StoreError(f"{path} holds other files and is no spot store", hint="name a new folder for the store")
        return cls(path)

    @property
    def entries(self) -> dict[str, SectionEntry]:
        """What the manifest says of every section, by id."""
        return self._manifest().sections

    def entry(self, section: str) -> SectionEntry:
        """Return what the manifest says of one section."""
        entries = self.entries
        if section not in entries:
            raise UnknownSection(
                f"the store {self.path} has no section '{section}'", hint=f"it has: {', '.join(entries) or 'none'}"
            )
        return entries[section]

    def choose(self, sections: tuple[str, ...] = (), exclude: tuple[str, ...] = ()) -> list[SectionEntry]:
        """Return the named sections (all when none is named) without the excluded ones, by id."""
        wanted = {self.entry(section).id for section in sections} or set(self.entries)
        unwanted = {self.entry(section).id for section in exclude}
        return [entry for key, entry in self.entries.items() if key in wanted - unwanted]

    def section(self, section: str) -> ad.AnnData:
        """Return a section's AnnData: counts, spots, labels and a picture, in squidpy's conventions."""
        return read_section(self._folder(self.entry(section).section))

    def pyramid(self, section: str) -> Pyramid | None:
        """Return a section's slide, or None when it has no image."""
        slide = self.entry(section).slide
        return Pyramid.open(self._folder(slide)) if slide else None

    def slide_scale(self, section: str) -> float:
        """Return um in the slide's frame per full-resolution px."""
        slide = self.entry(section).slide
        if slide is None:
            raise UnknownSection(f"section '{section}' has no image", hint="ingest it with --image FILE --replace")
        return slide.um_per_full_px

    def embedding(self, section: str, *, encoder: str = "", key: str = "") -> Embedding:
        """Return a section's embeddings, by the recipe's key or the latest by an encoder's name.

        Raises
        ------
        UnknownSection
            If there are none.
        """
        records = [r for r in self.entry(section).embeddings.values() if key == r.recipe or encoder == r.encoder]
        if not records:
            raise UnknownSection(
                f"section '{section}' has no embeddings by '{encoder or key}'",
                hint=f"spacrd embed {self.path} --encoder {encoder or 'NAME'}",
            )
        group: Any = zarr.open_group(self._folder(records[-1]), mode="r")
        recipe = Recipe.of(dict(group.attrs["recipe"]))
        return Embedding(group["values"][:], group["coverage"][:], records[-1].encoder, recipe)

    def predictions(self, section: str, detector: str = "") -> tuple[pd.DataFrame, DetectorConfig]:
        """Return a detector's spot table (the latest when no key is given) and the detector's configuration."""
        records = self.entry(section).predictions
        key = detector or next(reversed(records), "")
        if key not in records:
            raise UnknownSection(
                f"section '{section}' has no predictions{' of detector ' + detector if detector else ''}",
                hint=f"spacrd detect {self.path} DETECTOR --section {section}",
            )
        table, facts = read_table(self._folder(records[key]))
        return table, DetectorConfig.model_validate(facts)

    def staging(self, kind: str, section: str, key: str) -> Path:
        """Return the folder for unfinished work of that kind; the same one after an interruption."""
        folder = self.path / kind / section / f".partial-{key}-{self.entry(section).geometry[:8]}"
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def temporary(self, kind: str, section: str) -> Path:
        """Return a fresh folder to fill and publish."""
        folder = self.path / kind / section / f".tmp-{uuid4().hex}"
        folder.mkdir(parents=True)
        return folder

    def publish_group(self, staged: Path, name: str) -> GroupRecord:
        """Move a finished folder to its final name beside it; the manifest does not know the record yet."""
        final = staged.parent / name
        digest = publish(staged, final)
        return GroupRecord(path=final.relative_to(self.path).as_posix(), sha256=digest)

    def publish_embedding(self, section: str, encoder: str, recipe: Recipe, staged: Path) -> EmbeddingRecord:
        """Make finished embeddings part of the store."""
        geometry = self.entry(section).geometry
        group = self.publish_group(staged, f"{recipe.key}-{geometry[:8]}")
        record = EmbeddingRecord(path=group.path, sha256=group.sha256, encoder=encoder, recipe=recipe.key)
        self._amend(section, geometry, "embeddings", {recipe.key: record})
        return record

    def publish_predictions(self, section: str, detector: DetectorConfig, table: pd.DataFrame) -> GroupRecord:
        """Make a detector's spot table part of the store, as its latest."""
        entry = self.entry(section)
        staged = self.temporary("predictions", section)
        write_table(table, staged, detector.model_dump(mode="json"))
        record = self.publish_group(staged, f"{detector.key}-{tree_sha256(staged)[:8]}")
        self._amend(section, entry.geometry, "predictions", {detector.key: record})
        return record

    def update(self, change: Callable[[Manifest], Manifest]) -> Manifest:
        """Replace the manifest by what ``change`` makes of it, under the store's lock."""
        self.path.mkdir(parents=True, exist_ok=True)
        try:
            with FileLock(self.path / LOCK, timeout=LOCK_SECONDS):
                manifest = change(self._manifest())
                write_manifest(manifest, self.path / MANIFEST)
                return manifest
        except Timeout as error:
            raise StoreBusy(
                f"another process has held the lock of {self.path} for {LOCK_SECONDS:.0f} s", hint="wait for it to end"
            ) from error

    def _amend(self, section: str, geometry: str, field: str, records: dict[str, Any]) -> None:
        def change(manifest: Manifest) -> Manifest:
            entry = manifest.sections.get(section)
            if entry is None or entry.geometry != geometry:
                raise StoreError(
                    f"section '{section}' was replaced while this was written", hint="run the command again"
                )
            kept = {key: record for key, record in getattr(entry, field).items() if key not in records}
            return manifest.with_entry(entry.model_copy(update={field: {**kept, **records}}))

        self.update(change)

    def _manifest(self) -> Manifest:
        file = self.path / MANIFEST
        return read_manifest(file) if file.is_file() else Manifest()

    def _folder(self, record: GroupRecord) -> Path:
        folder = (self.path / record.path).resolve()
        if not folder.is_relative_to(self.path.resolve()):
            raise CorruptStore(f"the manifest of {self.path} names {record.path}, outside the store")
        if not folder.is_dir():
            raise CorruptStore(f"{folder} is missing from the store", hint=f"spacrd store verify {self.path}")
        return folder


def embedding_facts(encoder: str, recipe: Recipe) -> dict[str, object]:
    """Return the attributes of an embedding group."""
    return {"encoder": encoder, "recipe": json.loads(json.dumps(asdict(recipe)))}
