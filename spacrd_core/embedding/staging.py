"""Unfinished embeddings: an array of shards, and a ledger of those that are done."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import zarr

from spacrd_core.files import files_below, sync
from spacrd_core.store.groups import embedding_facts

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import numpy as np

    from spacrd_core.cards import Recipe

SHARD_ROWS, CHUNK_ROWS = 8192, 256
LEDGER = "shards_done"


@dataclass(frozen=True)
class Staging:
    """Where a section's embeddings grow, shard by shard; an interrupted run finds what it finished.

    The ledger is an attribute of the group: zarr replaces the file that holds it atomically, and it may stay when the
    group is published, so that no moment exists in which finished work looks unfinished.
    """

    folder: Path
    spots: int

    @classmethod
    def open(cls, folder: Path, *, encoder: str, recipe: Recipe, coverage: np.ndarray[Any, Any]) -> Self:
        """Return the staging in a folder, begun anew where it holds none of this encoder and size."""
        staging = cls(folder, len(coverage))
        facts = embedding_facts(encoder, recipe)
        if not staging._begun(facts):
            shutil.rmtree(folder, ignore_errors=True)
            staging._begin(facts, recipe.dim, coverage)
        return staging

    @property
    def missing(self) -> Iterator[range]:
        """Yield the rows of every shard that is not done: the unit of safe writing."""
        done = self._group("r").attrs[LEDGER]
        for start in range(0, self.spots, SHARD_ROWS):
            if start not in done:
                yield range(start, min(start + SHARD_ROWS, self.spots))

    def write(self, rows: range, values: np.ndarray[Any, Any]) -> None:
        """Write a whole shard, force it to disk, then enter it in the ledger."""
        group = self._group("r+")
        group["values"][rows.start : rows.stop] = values
        for path in files_below(self.folder / "values"):
            sync(path)
        group.attrs[LEDGER] = sorted({*group.attrs[LEDGER], rows.start})

    def _begun(self, facts: dict[str, object]) -> bool:
        try:
            group = self._group("r")
            known: dict[str, object] = dict(group.attrs)
            return {**facts, LEDGER: known[LEDGER]} == known and bool(group["values"].shape[0] == self.spots)
        except (FileNotFoundError, LookupError, ValueError):
            return False

    def _begin(self, facts: dict[str, object], dim: int, coverage: np.ndarray[Any, Any]) -> None:
        group = zarr.open_group(self.folder, mode="w", zarr_format=3)
        group.create_array(
            "values",
            shape=(self.spots, dim),
            chunks=(CHUNK_ROWS, dim),
            shards=(SHARD_ROWS, dim),
            dtype="float32",
            fill_value=float("nan"),
        )
        group.create_array("coverage", data=coverage)
        fresh: Any = {**facts, LEDGER: []}
        group.attrs.update(fresh)  # last: a group without a ledger was never begun

    def _group(self, mode: Any) -> Any:
        return zarr.open_group(self.folder, mode=mode)
