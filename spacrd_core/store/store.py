"""The spot store: sections, slides, embeddings and predictions as immutable groups behind one manifest.

A writer fills a temporary sibling, forces it to disk and renames it; then the manifest is replaced under a lock.
Readers trust only the manifest, so a store is whole whenever it is looked at.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

from spacrd_core.detector.config import DetectorConfig
from spacrd_core.errors import StoreError, UnknownSection
from spacrd_core.files import publish, tree_sha256
from spacrd_core.slide.pyramid import Pyramid
from spacrd_core.store.elements import (
    Embedding,
    read_cells,
    read_embedding,
    read_section,
    read_spots,
    read_table,
    write_table,
)
from spacrd_core.store.folder import StoreFolder
from spacrd_core.store.manifest import (
    EmbeddingRecord,
    GroupRecord,
    Manifest,
    SectionEntry,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import anndata as ad
    import pandas as pd

    from spacrd_core.cards import Recipe

PARTIAL = ".partial-"


class SpotStore(StoreFolder):
    """A spot store in a folder: what its groups hold, and how they are added."""

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
            others = dict.fromkeys(record.encoder for record in self.entry(section).embeddings.values())
            instead = f", or --encoder {' or '.join(others)}, which it has" if others and encoder else ""
            raise UnknownSection(
                f"section '{section}' has no embeddings by '{encoder or key}'",
                hint=f"spacrd embed {self.path} --encoder {encoder or 'NAME'}{instead}",
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


def _embedding_name(entry: SectionEntry, key: str) -> str:
    return f"{key}-{entry.geometry[:8]}"
