import shutil
from pathlib import Path

import pytest
from conftest import MakeSection

from spacrd_core.errors import CountsError
from spacrd_core.store.entry import SectionKey
from spacrd_core.store.failures import note_failures, read_failures
from spacrd_core.store.remove import remove_sections
from spacrd_core.store.store import SpotStore
from spacrd_core.store.verify import verify
from spacrd_core.store.write import add_section


@pytest.fixture
def store(tmp_path: Path, make_section: MakeSection) -> SpotStore:
    store = SpotStore.create(tmp_path / "store")
    add_section(store, make_section(1), SectionKey("S1", "P1", "1"))
    return store


def test_a_failure_is_noted_until_the_step_succeeds(store: SpotStore) -> None:
    note_failures(store, "ingest", {"../S2": CountsError("no counts", hint="look"), "S1": None})
    note_failures(store, "detect", {"S1": CountsError("no genes")})
    facts = [(failure.section, failure.step, failure.error, failure.hint) for failure in read_failures(store)]
    assert facts == [("../S2", "ingest", "no counts", "look"), ("S1", "detect", "no genes", "")]
    assert verify(store) == []
    note_failures(store, "ingest", {"../S2": None})
    note_failures(store, "detect", {"S1": None})
    assert read_failures(store) == []


def test_a_store_that_does_not_exist_is_not_created_for_a_failure(tmp_path: Path) -> None:
    store = SpotStore.create(tmp_path / "new")
    note_failures(store, "ingest", {"S1": CountsError("no counts"), "S2": None})
    assert not store.path.exists()


def test_a_section_that_was_removed_has_not_failed(store: SpotStore) -> None:
    note_failures(store, "detect", {"S1": CountsError("no genes")})
    remove_sections(store, ["S1"])
    assert read_failures(store) == []
    shutil.rmtree(store.path / "failures")
    assert read_failures(store) == []
