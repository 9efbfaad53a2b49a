"""Unfinished embeddings: an array of shards, and a ledger of the shards that are done."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import zarr

from spacrd_core.errors import CorruptStore, StoreBusy, StoreError
from spacrd_core.files import sync
from spacrd_core.slide.compression import CHECKED_ZSTD
from spacrd_core.store.elements import embedding_facts
from spacrd_core.store.locks import any_piece_locked

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from spacrd_core.arrays import Array
    from spacrd_core.cards import Recipe

SHARD_ROWS, CHUNK_ROWS = 2048, 256
VALUES, LEDGER = "values", "done"
LEDGER_PRECISIONS = ("", "fp32", "bf16", "fp16")  # the index is the number in the ledger; 0 means not done


def shard_ranges(spots: int) -> list[range]:
    """Return the rows of every shard of a section: the unit of work, of safe writing and of resuming.

    Processes that wrote different parts of one shard would overwrite each other's.
    """
    return [range(start, min(start + SHARD_ROWS, spots)) for start in range(0, spots, SHARD_ROWS)]


@dataclass(frozen=True)
class Staging:
    """The folder in which any number of processes write a section's embeddings, shard by shard.

    The ledger has one file per shard, which is written after the shard is safe on disk. It holds the precision of the
    shard. No process overwrites the entry of another one. The ledger may stay when the group is published, so that
    finished work never looks unfinished. A process that writes a shard holds its lock; nothing is written once the
    ledger is full.
    """

    folder: Path

    @classmethod
    def open_or_create(
        cls,
        folder: Path,
        *,
        encoder: str,
        options: Mapping[str, Any],
        recipe: Recipe,
        precision: str,
        coverage: Array,
    ) -> Self:
        """Return the staging in a folder, created anew unless it has this encoder, precision and size.

        Only one process may call this at a time.

        Raises
        ------
        StoreBusy
            If it must be created anew while another process writes there.
        """
        staging, shape = cls(folder), (len(coverage), recipe.dim)
        facts = _facts(encoder, options, recipe, precision)
        if not staging._matches(facts, shape):
            if any_piece_locked(folder):
                raise StoreBusy(f"another process writes other embeddings to {folder}", hint="wait for it to end")
            shutil.rmtree(folder, ignore_errors=True)
            staging._create(facts, shape, coverage)
        return staging

    def left(
        self, *, encoder: str, options: Mapping[str, Any], recipe: Recipe, precision: str, spots: int
    ) -> list[range]:
        """Return the rows of the shards that are left to do: all, unless the folder has such embeddings."""
        facts = _facts(encoder, options, recipe, precision)
        return self.missing if self._matches(facts, (spots, recipe.dim)) else shard_ranges(spots)

    @property
    def missing(self) -> list[range]:
        """The rows of the shards that are not done; none if the group is published and the folder gone."""
        try:
            group = self._group("r")
            spots, ledger = group[VALUES].shape[0], group[LEDGER][:]
        except FileNotFoundError:
            return []
        if not self.folder.exists():  # published during the reading, so entries were not found
            return []
        return [rows for rows, done in zip(shard_ranges(spots), ledger, strict=True) if not done]

    def is_done(self, rows: range) -> bool:
        """Return whether a shard is done; true if the group is published and the folder gone."""
        try:
            group = self._group("r")
            done = bool(group[LEDGER][_shard_index(group, rows)])
        except FileNotFoundError:
            return True
        return done or not self.folder.exists()

    @property
    def precision(self) -> str:
        """The precision of the embeddings; empty before all of them are done."""
        return str(self._group("r").attrs.get("precision", ""))

    def write(self, rows: range, values: Array, precision: str) -> None:
        """Write a whole shard, force it to disk, then enter it in the ledger with its precision."""
        group = self._group_to_write()
        shard = _shard_index(group, rows)
        group[VALUES][rows.start : rows.stop] = values
        self._sync(f"{VALUES}/c/{shard}/0", f"{VALUES}/c/{shard}", f"{VALUES}/c")
        group[LEDGER][shard] = LEDGER_PRECISIONS.index(precision)
        self._sync(f"{LEDGER}/c/{shard}", f"{LEDGER}/c")

    def finalise(self) -> None:
        """Check the values against the ledger, record the precision, and remove what killed writers have left.

        No process may be writing. Shards may differ in precision, as they may come from different devices.

        Raises
        ------
        CorruptStore
            If a shard that is done lacks values; it counts as missing from now on.
        """
        group = self._group_to_write()
        values = group[VALUES]
        lost = [rows for rows in shard_ranges(values.shape[0]) if not np.isfinite(values[rows.start : rows.stop]).all()]
        for rows in lost:
            group[LEDGER][_shard_index(group, rows)] = 0
        if lost:
            raise CorruptStore(
                f"{self.folder} has lost embeddings that were written: spots {lost[0].start + 1} to {lost[-1].stop}",
                hint="check the disk; the same command embeds them again",
            )
        group.attrs["precision"] = " and ".join(LEDGER_PRECISIONS[number] for number in np.unique(group[LEDGER][:]))
        for file in self.folder.rglob("*.partial"):
            file.unlink()

    def _matches(self, facts: dict[str, object], shape: tuple[int, int]) -> bool:
        try:
            group = self._group("r")
            values, ledger = group[VALUES], group[LEDGER]
            stored = ({fact: group.attrs[fact] for fact in facts}, values.shape, values.shards, ledger.shape)
        except (FileNotFoundError, LookupError, ValueError):
            return False
        return stored == (facts, shape, (SHARD_ROWS, shape[1]), (len(shard_ranges(shape[0])),))

    def _create(self, facts: dict[str, object], shape: tuple[int, int], coverage: Array) -> None:
        group: Any = zarr.open_group(self.folder, mode="w", zarr_format=3)
        chunks, shards = (CHUNK_ROWS, shape[1]), (SHARD_ROWS, shape[1])
        nan = float("nan")
        layout: dict[str, Any] = {"chunks": chunks, "shards": shards, "compressors": CHECKED_ZSTD}
        group.create_array(VALUES, shape=shape, dtype="float32", fill_value=nan, **layout)
        group.create_array("coverage", data=coverage, compressors=CHECKED_ZSTD)
        entries = (len(shard_ranges(shape[0])),)
        group.create_array(LEDGER, shape=entries, chunks=(1,), dtype="uint8", fill_value=0, compressors=None)
        group.attrs.update(facts)  # last, so that a group without facts is incomplete

    def _group(self, mode: Any) -> Any:
        return zarr.open_group(self.folder, mode=mode, zarr_format=3)

    def _group_to_write(self) -> Any:
        try:
            return self._group("r+")
        except FileNotFoundError as error:
            raise StoreError(f"{self.folder} was removed meanwhile", hint="run the command again") from error

    def _sync(self, *paths: str) -> None:
        for path in paths:
            sync(self.folder / path)


def _facts(encoder: str, options: Mapping[str, Any], recipe: Recipe, precision: str) -> dict[str, object]:
    """What identifies the embeddings in a folder."""
    return {**embedding_facts(encoder, options, recipe), "precision_asked": precision}


def _shard_index(group: Any, rows: range) -> int:
    """Return the index of the shard that has exactly these rows."""
    spots, size = group[VALUES].shape[0], group[VALUES].shards[0]
    if rows.start % size or rows.stop != min(rows.start + size, spots):
        raise ValueError(
            f"rows {rows.start} to {rows.stop} are not a shard: shards have {size} rows, the section has {spots}"
        )
    return int(rows.start // size)
