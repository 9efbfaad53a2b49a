"""Stores whose sections have many small shards."""

import shutil
from pathlib import Path
from typing import Protocol

import pytest
from conftest import MakeSection
from small_shards import ROWS, SECTIONS, embed_all, embeddings

from spacrd_core.embedding import staging
from spacrd_core.store.entry import SectionKey
from spacrd_core.store.store import SpotStore
from spacrd_core.store.write import add_section

StoredEmbeddings = tuple[str, dict[str, list[str]]]


class NewStore(Protocol):
    def __call__(self) -> SpotStore: ...


@pytest.fixture
def new_store(tmp_path: Path, make_section: MakeSection, monkeypatch: pytest.MonkeyPatch) -> NewStore:
    """A factory of equal stores, not embedded yet, whose sections have nine shards each."""
    monkeypatch.setattr(staging, "SHARD_ROWS", ROWS)
    monkeypatch.setattr(staging, "CHUNK_ROWS", ROWS)
    first = SpotStore.create(tmp_path / "store0")
    for number in range(1, SECTIONS + 1):
        add_section(first, make_section(number), SectionKey(f"S{number}", f"P{number}", str(number)))
    numbers = iter(range(1, 100))

    def make() -> SpotStore:
        folder = tmp_path / f"store{next(numbers)}"
        shutil.copytree(first.path, folder)
        return SpotStore.open(folder)

    return make


@pytest.fixture(scope="session")
def reference_cache() -> dict[str, StoredEmbeddings]:
    return {}


@pytest.fixture
def uninterrupted(new_store: NewStore, reference_cache: dict[str, StoredEmbeddings]) -> StoredEmbeddings:
    """The embeddings of an uninterrupted run in one process."""
    if not reference_cache:
        store = new_store()
        embed_all(store)
        reference_cache["embeddings"] = embeddings(store)
    return reference_cache["embeddings"]
