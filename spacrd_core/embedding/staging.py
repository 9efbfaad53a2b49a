"""Unfinished embeddings: an array of shards, and beside it a ledger of those that are done."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import zarr

from spacrd_core.errors import CorruptStore, StoreBusy
from spacrd_core.files import sync
from spacrd_core.store.elements import embedding_facts
from spacrd_core.store.locks import any_piece_held

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from spacrd_core.cards import Recipe

SHARD_ROWS, CHUNK_ROWS = 2048, 256
VALUES, LEDGER = "values", "done"
PRECISIONS = ("", "fp32", "bf16", "fp16")  # by the number that stands for each in the ledger; 0 is not done


def shards_of(spots: int) -> list[range]:
    """Return the rows of every shard of a section: the unit of work, of safe writing and of resuming.

    Processes that write different parts of one shard overwrite each other's.
    """
    return [range(start, min(start + SHARD_ROWS, spots)) for start in range(0, spots, SHARD_ROWS)]


@dataclass(frozen=True)
class Staging:
    """Where a section's embeddings grow, shard by shard, under the hands of any number of processes.

    The ledger has a file for every shard, written after the shard is safe on disk: the precision it was computed in.
    Nobody overwrites another's entry,
    and it may stay when the group is published, so that no moment exists in which finished work looks unfinished.
    Whoever writes a shard holds its lock; once the ledger is full nobody writes any more.
    """

    folder: Path

    @classmethod
    def begin(
        cls,
        folder: Path,
        *,
        encoder: str,
        options: Mapping[str, Any],
        recipe: Recipe,
        precision: str,
        coverage: np.ndarray[Any, Any],
    ) -> Self:
        """Return the staging in a folder, begun anew where it holds none of this encoder, precision and size.

        To be called by one process at a time.

        Raises
        ------
        StoreBusy
            If it would have to be begun anew, and somebody is writing there.
        """
        staging, shape = cls(folder), (len(coverage), recipe.dim)
        facts = {**embedding_facts(encoder, options, recipe), "precision_asked": precision}
        if not staging._begun(facts, shape):
            if any_piece_held(folder):
                raise StoreBusy(f"another process writes other embeddings to {folder}", hint="wait for it to end")
            shutil.rmtree(folder, ignore_errors=True)
            staging._create(facts, shape, coverage)
        return staging

    @property
    def missing(self) -> list[range]:
        """The rows of the shards that are not done; none once the group is published and the folder gone."""
        try:
            group = self._group("r")
            spots, done = group[VALUES].shape[0], group[LEDGER][:]
        except FileNotFoundError:
            return []
        if not self.folder.exists():  # published while it was read: what was not found there is not missing
            return []
        return [rows for rows, there in zip(shards_of(spots), done, strict=True) if not there]

    def is_done(self, rows: range) -> bool:
        """Return whether a shard is done; so it is once the group is published and the folder gone."""
        try:
            group = self._group("r")
            done = bool(group[LEDGER][_shard(group, rows)])
        except FileNotFoundError:
            return True
        return done or not self.folder.exists()

    @property
    def precision(self) -> str:
        """What the embeddings were computed in; empty before they are whole."""
        return str(self._group("r").attrs.get("precision", ""))

    def write(self, rows: range, values: np.ndarray[Any, Any], precision: str) -> None:
        """Write a whole shard, force it to disk, then enter it in the ledger with its precision."""
        group = self._group("r+")
        shard = _shard(group, rows)
        group[VALUES][rows.start : rows.stop] = values
        self._sync(f"{VALUES}/c/{shard}/0", f"{VALUES}/c/{shard}", f"{VALUES}/c")
        group[LEDGER][shard] = PRECISIONS.index(precision)
        self._sync(f"{LEDGER}/c/{shard}", f"{LEDGER}/c")

    def require_whole(self) -> None:
        """Hold the values against the ledger, and sweep up what killed writers left; to be called when nobody writes.

        The precision becomes a fact of the whole: parts may have been computed on different devices.

        Raises
        ------
        CorruptStore
            If a shard that is done lacks values; it counts as missing from now on.
        """
        group = self._group("r+")
        values = group[VALUES]
        lost = [rows for rows in shards_of(values.shape[0]) if not np.isfinite(values[rows.start : rows.stop]).all()]
        for rows in lost:
            group[LEDGER][_shard(group, rows)] = 0
        if lost:
            raise CorruptStore(
                f"{self.folder} has lost embeddings that were written: spots {lost[0].start + 1} to {lost[-1].stop}",
                hint="look after the disk; the same command embeds them again",
            )
        group.attrs["precision"] = " and ".join(PRECISIONS[number] for number in np.unique(group[LEDGER][:]))
        for stray in self.folder.rglob("*.partial"):
            stray.unlink()

    def _begun(self, facts: dict[str, object], shape: tuple[int, int]) -> bool:
        try:
            group = self._group("r")
            values, ledger = group[VALUES], group[LEDGER]
            here = ({fact: group.attrs[fact] for fact in facts}, values.shape, values.shards, ledger.shape)
        except (FileNotFoundError, LookupError, ValueError):
            return False
        return here == (facts, shape, (SHARD_ROWS, shape[1]), (len(shards_of(shape[0])),))

    def _create(self, facts: dict[str, object], shape: tuple[int, int], coverage: np.ndarray[Any, Any]) -> None:
        group: Any = zarr.open_group(self.folder, mode="w", zarr_format=3)
        chunks, shards = (CHUNK_ROWS, shape[1]), (SHARD_ROWS, shape[1])
        nothing = float("nan")
        group.create_array(VALUES, shape=shape, chunks=chunks, shards=shards, dtype="float32", fill_value=nothing)
        group.create_array("coverage", data=coverage)
        entries = (len(shards_of(shape[0])),)
        group.create_array(LEDGER, shape=entries, chunks=(1,), dtype="uint8", fill_value=0, compressors=None)
        group.attrs.update(facts)  # last: a group without facts was never begun

    def _group(self, mode: Any) -> Any:
        return zarr.open_group(self.folder, mode=mode)

    def _sync(self, *places: str) -> None:
        for place in places:
            sync(self.folder / place)


def _shard(group: Any, rows: range) -> int:
    """Return the number of the shard that has these rows and no others."""
    spots, size = group[VALUES].shape[0], group[VALUES].shards[0]
    if rows.start % size or rows.stop != min(rows.start + size, spots):
        raise ValueError(f"rows {rows.start} to {rows.stop} are no shard: shards have {size} rows, the section {spots}")
    return int(rows.start // size)
