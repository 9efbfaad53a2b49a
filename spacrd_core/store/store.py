"""The spot store: sections, slides, embeddings and predictions as immutable groups behind one manifest.

A writer fills a temporary folder, flushes it to disk and renames it; then it replaces the manifest under a lock.
Readers use only groups in the manifest, so a store is consistent at any time.
"""

from __future__ import annotations

import shutil
from contextlib import ExitStack, contextmanager
from functools import partial
from shlex import quote
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from spacrd_core.errors import StoreError, UnknownSection
from spacrd_core.files import publish, tree_sha256
from spacrd_core.quoting import command
from spacrd_core.slide.pyramid import Pyramid
from spacrd_core.store.claims import TEMPORARY, claim
from spacrd_core.store.elements import (
    Embedding,
    read_cells,
    read_embedding,
    read_section,
    read_spot_table,
    read_spots,
    write_spot_table,
)
from spacrd_core.store.folder import PARTIAL, RETIRED, StoreFolder
from spacrd_core.store.layout import layout_sha256
from spacrd_core.store.links import link_below
from spacrd_core.store.manifest import EmbeddingRecord, GroupRecord, Manifest, SectionEntry
from spacrd_core.store.notebook import table_html
from spacrd_core.store.repair import repair_hint
from spacrd_core.system_errors import explained

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    import anndata as ad
    import pandas as pd

    from spacrd_core.cards import Recipe


class SpotStore(StoreFolder):
    """A spot store in a folder: read its groups and add new ones."""

    def _repr_html_(self) -> str:
        return table_html(self)

    def section(self, section: str) -> ad.AnnData:
        """Return a section as AnnData in squidpy's conventions: counts, spots, labels and a thumbnail."""
        with self._open_group(self.entry(section).section) as folder:
            return read_section(folder)

    def spots(self, section: str) -> pd.DataFrame:
        """Return the spots of a section without counts: positions, labels and other columns."""
        with self._open_group(self.entry(section).section) as folder:
            return read_spots(folder)

    def spot_of_cell(self, section: str) -> pd.Series[Any] | None:
        """Return the spot of each cell, by cell id; None if the store has no cells of the section."""
        record = self.entry(section).cells
        if record is None:
            return None
        with self._open_group(record) as folder:
            return read_cells(folder)

    def pyramid(self, section: str) -> Pyramid | None:
        """Return the slide of a section; None if it has no image."""
        entry = self.entry(section)
        if entry.slide is None:
            return None
        return Pyramid.open(self._folder(entry.slide), repair=repair_hint(self.path, entry.slide, entry))

    def slide_scale(self, section: str) -> float:
        """Return the um in the slide's frame per full-resolution px."""
        slide = self.entry(section).slide
        if slide is None:
            raise UnknownSection(f"section '{section}' has no image", hint="ingest it with --image FILE --replace")
        return slide.um_per_full_px

    def embedding(self, section: str, *, encoder: str = "", key: str = "") -> Embedding:
        """Return the embeddings of a section, by recipe key, or the latest of an encoder by its name.

        Raises
        ------
        UnknownSection
            If there are none.
        """
        records = [r for r in self.entry(section).embeddings.values() if key == r.recipe or encoder == r.encoder]
        if not records:
            others = dict.fromkeys(record.encoder for record in self.entry(section).embeddings.values())
            instead = f", or use --encoder {' or '.join(map(quote, others))}" if others and encoder else ""
            raise UnknownSection(
                f"section '{section}' has no embeddings by '{encoder or key}'",
                hint=command("embed", self.path, "--encoder", encoder or "NAME") + instead,
            )
        with self._open_group(records[-1]) as folder:
            return read_embedding(folder)

    def predictions(self, section: str, detector: str = "") -> tuple[pd.DataFrame, dict[str, Any]]:
        """Return the spot table of a detector (the latest if no key is given) and the detector's configuration."""
        return self.read_predictions(self.predictions_record(section, detector))

    def read_predictions(self, record: GroupRecord) -> tuple[pd.DataFrame, dict[str, Any]]:
        """Return the same of a record, which may have been replaced meanwhile: its files stay for a while."""
        with self._open_group(record) as folder:
            return read_spot_table(folder)

    def predictions_record(self, section: str, detector: str = "") -> GroupRecord:
        """Return the record of the predictions of a detector, or of the latest if no key is given.

        Raises
        ------
        UnknownSection
            If there are none.
        """
        records = self.entry(section).predictions
        key = detector or next(reversed(records), "")
        if key not in records:
            raise UnknownSection(
                f"section '{section}' has no predictions{' of detector ' + detector if detector else ''}",
                hint=command("detect", self.path, "DETECTOR", "--section", section),
            )
        return records[key]

    def staging(self, entry: SectionEntry, key: str, *, again: bool = False) -> Path:
        """Return the folder of a section's unfinished embeddings, which all processes and later runs share.

        With ``again``, they are to replace those that ``entry`` has of this recipe.
        """
        return self.inside("embeddings", entry.id, f"{PARTIAL}{_embedding_name(entry, key, again=again)}")

    def reclaim(self, entry: SectionEntry, key: str, *, again: bool = False) -> None:
        """Move finished embeddings back to staging if their process was killed before it updated the manifest."""
        staged, unfinished = self.staging(entry, key, again=again), self.unfinished(entry, key, again=again)
        if unfinished != staged:
            unfinished.rename(staged)

    def unfinished(self, entry: SectionEntry, key: str, *, again: bool = False) -> Path:
        """Return where a section's unfinished embeddings are: in staging, or finished but not in the manifest."""
        staged = self.staging(entry, key, again=again)
        finished = staged.with_name(_embedding_name(entry, key, again=again))
        listed = any(self.path / record.path == finished for record in self.entry(entry.id).embeddings.values())
        left = finished.is_dir() and not (listed or staged.exists() or (finished / RETIRED).exists())
        return finished if left else staged

    @contextmanager
    def writing(self, *sections: str) -> Iterator[None]:
        """Claim sections for the groups that this process writes and then lists: they are not garbage inside the block.

        What killed processes have left of these sections is removed.
        """
        with explained(self.path), ExitStack() as claims:
            for section in dict.fromkeys(sections):
                claims.enter_context(claim(self, section))
            yield

    def temporary(self, kind: str, section: str) -> Path:
        """Return a new temporary folder to fill and publish, for a section that is claimed by :meth:`writing`."""
        folder = self.inside(kind, section) / f"{TEMPORARY}{uuid4().hex}"
        folder.mkdir(parents=True)
        return folder

    def publish_group(self, staged: Path, name: str) -> GroupRecord:
        """Move a finished folder to its final name; the record is not yet in the manifest."""
        final = self.inside(*staged.relative_to(self.path).parts[:-1], name)
        if final.is_dir() and link_below(final):  # the same files, but not all of them in the store
            final.rename(final.with_name(f"{TEMPORARY}damaged-{uuid4().hex}"))
        digest = publish(staged, final)
        layout = layout_sha256(final)
        return GroupRecord(path=final.relative_to(self.path).as_posix(), sha256=digest, layout=layout)

    def publish_embedding(
        self,
        entry: SectionEntry,
        encoder: str,
        recipe: Recipe,
        staged: Path,
        *,
        latest: bool = True,
        again: bool = False,
    ) -> EmbeddingRecord:
        """Add the finished embeddings of a section, unless its geometry has changed since ``entry`` was read.

        An encoder's name selects the latest of its embeddings; with ``latest`` false, that stays as it was.
        """
        group = self.publish_group(staged, _embedding_name(entry, recipe.key, again=again))
        record = EmbeddingRecord(**group.model_dump(), encoder=encoder, recipe=recipe.key)
        self._add_record(
            entry,
            "embeddings",
            recipe.key,
            record,
            unchanged=partial(_same_geometry, entry.geometry),
            latest=latest,
        )
        self.retire(old for old in entry.embeddings.values() if old.recipe == recipe.key and old.path != group.path)
        return record

    def make_latest(self, entry: SectionEntry, key: str) -> None:
        """Make the embeddings of a recipe the ones that their encoder's name selects."""
        record = self.entry(entry.id).embeddings[key]
        records = self.entry(entry.id).embeddings.values()
        if [each.recipe for each in records if each.encoder == record.encoder][-1] != key:
            unchanged = partial(_same_geometry, entry.geometry)
            self._add_record(entry, "embeddings", key, record, unchanged=unchanged)

    def publish_predictions(
        self, entry: SectionEntry, table: pd.DataFrame, *, key: str, detector: Mapping[str, Any]
    ) -> GroupRecord:
        """Add a section's spot table as the latest, unless the section has changed since ``entry`` was read.

        ``key`` identifies the detector that made the table; ``detector`` is its configuration as JSON-able values.
        """
        with self.writing(entry.id):
            staged = self.temporary("predictions", entry.id)
            try:
                write_spot_table(table, staged, detector)
                record = self.publish_group(staged, f"{key}-{tree_sha256(staged)[:8]}")
            finally:
                shutil.rmtree(staged, ignore_errors=True)
            self._add_record(entry, "predictions", key, record, unchanged=lambda now: now.identity == entry.identity)
        self.begin_grace(old for name, old in entry.predictions.items() if name == key and old.path != record.path)
        return record

    def _add_record(
        self,
        entry: SectionEntry,
        field: str,
        key: str,
        record: GroupRecord,
        *,
        unchanged: Callable[[SectionEntry], bool],
        latest: bool = True,
    ) -> None:
        def change(manifest: Manifest) -> Manifest:
            current = manifest.sections.get(entry.id)
            if current is None or not unchanged(current):
                raise StoreError(
                    f"section '{entry.id}' was replaced while this command ran", hint="run the command again"
                )
            others = {name: group for name, group in getattr(current, field).items() if name != key}
            records = {**others, key: record} if latest else {key: record, **others}
            return manifest.with_entry(current.model_copy(update={field: records}))

        self.update(change)


def _same_geometry(geometry: str, entry: SectionEntry) -> bool:
    return entry.geometry == geometry


def _embedding_name(entry: SectionEntry, key: str, *, again: bool) -> str:
    """Return the folder name of the embeddings of a recipe, or with ``again`` of the next ones, which are numbered."""
    name = f"{key}-{entry.geometry[:8]}"
    if key not in entry.embeddings:
        return name
    present = entry.embeddings[key].path.rpartition("/")[2]
    number = present.removeprefix(name).removeprefix("-")
    return f"{name}-{int(number or 1) + 1}" if again else present
