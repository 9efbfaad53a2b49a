"""Stores whose sections have many small shards."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Protocol

import pytest
from small_shards import ROWS, SECTIONS, embed_all, embeddings

from spacrd_core.embedding import staging
from spacrd_core.store.store import SpotStore
from spacrd_core.store.write import Ticket, add_section

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import MakeSection


Left = tuple[str, dict[str, list[str]]]


class Copy(Protocol):
    def __call__(self) -> SpotStore: ...


@pytest.fixture
def copy(tmp_path: Path, make_section: MakeSection, monkeypatch: pytest.MonkeyPatch) -> Copy:
    """A factory of equal stores, not embedded yet, whose sections have nine shards each."""
    monkeypatch.setattr(staging, "SHARD_ROWS", ROWS)
    monkeypatch.setattr(staging, "CHUNK_ROWS", ROWS)
    first = SpotStore.create(tmp_path / "store0")
    for number in range(1, SECTIONS + 1):
        add_section(first, make_section(number), Ticket(f"S{number}", f"P{number}", str(number)))
    numbers = iter(range(1, 100))

    def make() -> SpotStore:
        folder = tmp_path / f"store{next(numbers)}"
        shutil.copytree(first.path, folder)
        return SpotStore.open(folder)

    return make


@pytest.fixture(scope="session")
def known() -> dict[str, Left]:
    return {}


@pytest.fixture
def uninterrupted(copy: Copy, known: dict[str, Left]) -> Left:
    """What an uninterrupted run in one process leaves."""
    if not known:
        store = copy()
        embed_all(store)
        known["left"] = embeddings(store)
    return known["left"]
