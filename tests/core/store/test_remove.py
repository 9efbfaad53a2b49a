"""Sections are removed from the manifest at once, all or none; their files go later, by garbage collection."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from conftest import CopyOf, MakeSection
from interrupted import changes_of, moments, run_until

from spacrd_core.errors import UnknownSection
from spacrd_core.store.entry import SectionKey
from spacrd_core.store.garbage import GRACE_SECONDS, collect_garbage
from spacrd_core.store.remove import remove_sections, stored_bytes
from spacrd_core.store.store import SpotStore
from spacrd_core.store.verify import verify
from spacrd_core.store.write import add_section


@pytest.fixture
def store(copy_of: CopyOf, make_section: MakeSection) -> SpotStore:
    """A store with three sections, the first with an image."""

    def fill(folder: Path) -> None:
        store = SpotStore.create(folder)
        for number in (1, 2, 3):
            section = make_section(number, image=number == 1)
            add_section(store, section, SectionKey(f"S{number}", f"P{number}", str(number)))

    return SpotStore(copy_of(fill))


@pytest.mark.slow
def test_removed_sections_are_returned_and_the_others_stay(store: SpotStore) -> None:
    expected = [store.entry("S3"), store.entry("S1")]
    assert remove_sections(store, ["S3", "S1", "S3"]) == expected
    assert list(store.entries) == ["S2"]
    assert verify(store) == []


def test_one_unknown_id_and_nothing_is_removed(store: SpotStore) -> None:
    before = (store.path / "spacrd.json").read_bytes()
    with pytest.raises(UnknownSection, match="no section 'S8' or 'S9'; nothing was removed") as caught:
        remove_sections(store, ["S1", "S8", "S9"])
    assert "S1, S2, S3" in caught.value.hint
    assert (store.path / "spacrd.json").read_bytes() == before


def test_a_reader_at_work_finishes_and_garbage_collection_waits_for_it(store: SpotStore) -> None:
    pyramid = store.pyramid("S1")
    assert pyramid
    folder = store.path / store.entry("S1").section.path
    for path in (folder, *folder.rglob("*")):
        os.utime(path, (0, 0))
    remove_sections(store, ["S1"])
    assert collect_garbage(store, grace_seconds=GRACE_SECONDS) == []
    assert np.asarray(pyramid.levels[0].read(0, 8, 0, 8)).shape == (8, 8, 3)
    assert folder in collect_garbage(store, grace_seconds=0)
    assert not folder.parent.exists()


def test_all_sections_can_be_removed_and_the_store_is_still_a_store(
    store: SpotStore, make_section: MakeSection
) -> None:
    remove_sections(store, list(store.entries))
    assert SpotStore.open(store.path).entries == {}
    add_section(store, make_section(1), SectionKey("S1", "P1", "1"))
    assert verify(store) == []


def test_the_size_of_a_section_is_that_of_its_files(store: SpotStore) -> None:
    entry = store.entry("S2")
    files = (store.path / entry.section.path).rglob("*")
    assert stored_bytes(store, entry) == sum(file.stat().st_size for file in files if file.is_file())
    assert stored_bytes(store, store.entry("S1")) > stored_bytes(store, entry)


@pytest.mark.slow
def test_killed_at_any_moment_all_of_the_sections_are_there_or_none(store: SpotStore, tmp_path: Path) -> None:
    copies = iter(range(100))

    def copy() -> SpotStore:
        return SpotStore(shutil.copytree(store.path, tmp_path / f"copy{next(copies)}"))

    def command(target: SpotStore) -> list[str]:
        return ["store", "rm", str(target.path), "S1", "S2"]

    whole = copy()
    for moment in moments(changes_of(whole.path, command(whole)), 6):
        target = copy()
        run = run_until(moment, target.path, command(target))
        assert run.returncode < 0, run.stderr
        assert list(target.entries) in (["S1", "S2", "S3"], ["S3"])
        assert verify(target) == []
        if "S1" in target.entries:
            remove_sections(target, ["S1", "S2"])
        assert list(target.entries) == ["S3"]
        assert verify(target) == []
