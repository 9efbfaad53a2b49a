"""Unfinished embeddings: an array of shards, and a ledger of those that are done."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import zarr

from spacrd_core.files import sync
from spacrd_core.store.store import embedding_facts

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import numpy as np

    from spacrd_core.cards import Recipe

SHARD_ROWS, CHUNK_ROWS = 8192, 256
LEDGER = "ledger.json"


@dataclass(frozen=True)
class Staging:
    """Where a section's embeddings grow, shard by shard; an interrupted run finds what it finished."""

    folder: Path
    spots: int

    @classmethod
    def open(cls, folder: Path, *, encoder: str, recipe: Recipe, coverage: np.ndarray[Any, Any]) -> Self:
        """Return the staging in a folder, begun anew where it holds none of this encoder and size."""
        staging = cls(folder, len(coverage))
        if not staging._begun(embedding_facts(encoder, recipe)):
            shutil.rmtree(folder, ignore_errors=True)
            staging._begin(embedding_facts(encoder, recipe), recipe.dim, coverage)
        return staging

    @property
    def missing(self) -> Iterator[range]:
        """Yield the rows of every shard that is not done: the unit of safe writing."""
        done = set(json.loads((self.folder / LEDGER).read_text("utf-8"))["done"])
        for start in range(0, self.spots, SHARD_ROWS):
            if start not in done:
                yield range(start, min(start + SHARD_ROWS, self.spots))

    def write(self, rows: range, values: np.ndarray[Any, Any]) -> None:
        """Write a whole shard, then enter it in the ledger."""
        group: Any = zarr.open_group(self.folder, mode="r+")
        group["values"][rows.start : rows.stop] = values
        done = json.loads((self.folder / LEDGER).read_text("utf-8"))["done"]
        self._enter([*done, rows.start])

    def finish(self) -> Path:
        """Return the folder, ready to publish."""
        (self.folder / LEDGER).unlink()
        return self.folder

    def _begun(self, facts: dict[str, object]) -> bool:
        if not (self.folder / LEDGER).is_file():
            return False
        group: Any = zarr.open_group(self.folder, mode="r")
        return dict(group.attrs) == facts and group["values"].shape[0] == self.spots

    def _begin(self, facts: dict[str, object], dim: int, coverage: np.ndarray[Any, Any]) -> None:
        group = zarr.open_group(self.folder, mode="w", zarr_format=3)
        group.attrs.update(facts)
        group.create_array(
            "values",
            shape=(self.spots, dim),
            chunks=(CHUNK_ROWS, dim),
            shards=(SHARD_ROWS, dim),
            dtype="float32",
            fill_value=float("nan"),
        )
        group.create_array("coverage", data=coverage)
        self._enter([])

    def _enter(self, done: list[int]) -> None:
        aside = self.folder / f"{LEDGER}.new"
        aside.write_text(json.dumps({"done": done}), encoding="utf-8")
        sync(aside)
        os.replace(aside, self.folder / LEDGER)  # noqa: PTH105 - the atomic one, by its own name
