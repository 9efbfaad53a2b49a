"""The spot store: sections, slides, embeddings and predictions as immutable groups behind one manifest.

A writer fills a temporary sibling, forces it to disk and renames it; then the manifest is replaced under a lock.
Readers trust only the manifest, so a store is whole whenever it is looked at.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from filelock import FileLock, Timeout

from spacrd_core.detector.config import DetectorConfig
from spacrd_core.errors import CorruptStore, MissingFile, StoreBusy, StoreError, UnknownSection
from spacrd_core.files import publish, tree_sha256
from spacrd_core.slide.pyramid import Pyramid
from spacrd_core.store.groups import (
    Embedding,
    read_cells,
    read_embedding,
    read_section,
    read_spots,
    read_table,
    write_table,
)
from spacrd_core.store.manifest import (
    KINDS,
    EmbeddingRecord,
    GroupRecord,
    Manifest,
    SectionEntry,
    read_manifest,
    write_manifest,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import anndata as ad
    import pandas as pd

    from spacrd_core.cards import Recipe

MANIFEST = "spacrd.json"
LOCK = "spacrd.lock"
PARTIAL = ".partial-"
LOCK_SECONDS = 60.0


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
        if path.exists() and not (path / MANIFEST).is_file() and not _begun(path):
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
        with self._reading(self.entry(section).section) as folder:
            return read_section(folder)

    def spots(self, section: str) -> pd.DataFrame:
        """Return a section's spots alone: positions, labels, whatever else is known of each."""
        with self._reading(self.entry(section).section) as folder:
            return read_spots(folder)

    def spot_of_cell(self, section: str) -> pd.Series[Any] | None:
        """Return the spot each cell of a section lies in, by cell id; None where the store does not know cells."""
        record = self.entry(section).cells
        if record is None:
            return None
        with self._reading(record) as folder:
            return read_cells(folder)

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
        with self._reading(records[-1]) as folder:
            return read_embedding(folder)

    def predictions(self, section: str, detector: str = "") -> tuple[pd.DataFrame, DetectorConfig]:
        """Return a detector's spot table (the latest when no key is given) and the detector's configuration."""
        records = self.entry(section).predictions
        key = detector or next(reversed(records), "")
        if key not in records:
            raise UnknownSection(
                f"section '{section}' has no predictions{' of detector ' + detector if detector else ''}",
                hint=f"spacrd detect {self.path} DETECTOR --section {section}",
            )
        with self._reading(records[key]) as folder:
            table, facts = read_table(folder)
            return table, DetectorConfig.model_validate(facts)

    def staging(self, entry: SectionEntry, key: str) -> Path:
        """Return the folder for a section's unfinished embeddings: one for all processes, and after an interruption."""
        return self.path / "embeddings" / entry.id / f"{PARTIAL}{_embedding_name(entry, key)}"

    def reclaim(self, entry: SectionEntry, key: str) -> None:
        """Take finished embeddings back into staging whose process was killed before the manifest knew of them."""
        staged = self.staging(entry, key)
        finished = staged.with_name(_embedding_name(entry, key))
        if key not in entry.embeddings and finished.is_dir() and not staged.exists():
            finished.rename(staged)

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

    def publish_embedding(self, entry: SectionEntry, encoder: str, recipe: Recipe, staged: Path) -> EmbeddingRecord:
        """Make finished embeddings of a section, as it was when they were begun, part of the store."""
        group = self.publish_group(staged, _embedding_name(entry, recipe.key))
        record = EmbeddingRecord(path=group.path, sha256=group.sha256, encoder=encoder, recipe=recipe.key)
        self._amend(entry, "embeddings", recipe.key, record, same=lambda now: now.geometry == entry.geometry)
        return record

    def publish_predictions(self, entry: SectionEntry, detector: DetectorConfig, table: pd.DataFrame) -> GroupRecord:
        """Make a detector's spot table of a section, as it was when it was read, part of the store, as its latest."""
        staged = self.temporary("predictions", entry.id)
        write_table(table, staged, detector.model_dump(mode="json"))
        record = self.publish_group(staged, f"{detector.key}-{tree_sha256(staged)[:8]}")
        self._amend(entry, "predictions", detector.key, record, same=lambda now: now.identity == entry.identity)
        return record

    def update(self, change: Callable[[Manifest], Manifest]) -> Manifest:
        """Replace the manifest by what ``change`` makes of it, under the store's lock."""
        with self.locked() as manifest:
            changed = change(manifest)
            write_manifest(changed, self.path / MANIFEST)
            return changed

    @contextmanager
    def locked(self) -> Iterator[Manifest]:
        """Hold the store's lock, and give the manifest as it stands."""
        self.path.mkdir(parents=True, exist_ok=True)
        try:
            with FileLock(self.path / LOCK, timeout=LOCK_SECONDS):
                yield self._manifest()
        except Timeout as error:
            raise StoreBusy(
                f"another process has held the lock of {self.path} for {LOCK_SECONDS:.0f} s", hint="wait for it to end"
            ) from error

    def _amend(
        self, entry: SectionEntry, field: str, key: str, record: GroupRecord, *, same: Callable[[SectionEntry], bool]
    ) -> None:
        def change(manifest: Manifest) -> Manifest:
            now = manifest.sections.get(entry.id)
            if now is None or not same(now):
                raise StoreError(f"section '{entry.id}' was replaced meanwhile", hint="run the command again")
            kept = {name: known for name, known in getattr(now, field).items() if name != key}
            return manifest.with_entry(now.model_copy(update={field: {**kept, key: record}}))

        self.update(change)

    def _manifest(self) -> Manifest:
        file = self.path / MANIFEST
        return read_manifest(file) if file.is_file() else Manifest()

    @contextmanager
    def _reading(self, record: GroupRecord) -> Iterator[Path]:
        """Give a group's folder; what cannot be read of it is damage."""
        folder = self._folder(record)
        try:
            yield folder
        except (OSError, ValueError, LookupError, RuntimeError, TypeError) as error:
            raise CorruptStore(f"{folder} is damaged: {error}", hint=f"spacrd store verify {self.path}") from error

    def _folder(self, record: GroupRecord) -> Path:
        folder = self.path / record.path
        if not folder.is_dir():
            raise CorruptStore(f"{folder} is missing from the store", hint=f"spacrd store verify {self.path}")
        return folder


def _begun(path: Path) -> bool:
    """Whether a folder holds nothing but what an interrupted first ingest leaves."""
    return path.is_dir() and {file.name for file in path.iterdir()} <= {*KINDS, LOCK, f"{MANIFEST}.new"}


def _embedding_name(entry: SectionEntry, key: str) -> str:
    return f"{key}-{entry.geometry[:8]}"
