"""Garbage: what killed processes have left is removed at once, whatever its date; the work of living ones is kept."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from contextlib import nullcontext
from pathlib import Path

import pytest
from conftest import MakeSection

from spacrd_core.errors import StoreError
from spacrd_core.store.entry import SectionKey
from spacrd_core.store.garbage import collect_garbage, find_links
from spacrd_core.store.links import entries_below
from spacrd_core.store.locks import lock_file
from spacrd_core.store.store import SpotStore
from spacrd_core.store.write import add_section

WRITE_A_GROUP = """
import sys, time
from spacrd_core.store.store import SpotStore
store = SpotStore(sys.argv[1])
with store.writing("S1"):
    folder = store.temporary("slides", "S1")
    (folder / "zarr.json").write_text("{}")
    published = store.temporary("slides", "S1").rename(folder.with_name("published"))
    print(folder, flush=True)
    time.sleep(120)
"""
FUTURE = time.time() + 10 * 365 * 86400


@pytest.fixture
def store(tmp_path: Path, make_section: MakeSection) -> SpotStore:
    store = SpotStore.create(tmp_path / "store")
    add_section(store, make_section(1, image=False), SectionKey("S1", "P1", "one"))
    return store


def writer(store: SpotStore) -> tuple[subprocess.Popen[str], Path]:
    """Return a process that writes a slide of S1, and its temporary folder."""
    command = [sys.executable, "-c", WRITE_A_GROUP, str(store.path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    return process, Path(process.stdout.readline().strip())


def kill(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert process.stdout
    process.stdout.close()


def test_the_work_of_a_living_process_is_kept_and_that_of_a_killed_one_is_not(
    store: SpotStore, make_section: MakeSection
) -> None:
    process, folder = writer(store)
    try:
        for path in (folder, folder.with_name("published")):
            os.utime(path, (0, 0))
        assert collect_garbage(store, grace_seconds=0) == []
        add_section(store, make_section(2, image=False), SectionKey("S1", "P1", "two"))
        assert folder.is_dir(), "another writer of the section keeps it, too"
    finally:
        kill(process)
    os.utime(folder, (FUTURE, FUTURE))
    assert folder in collect_garbage(store)
    assert not list(store.path.rglob("*.lock")) or {path.name for path in store.path.rglob("*.lock")} == {"spacrd.lock"}


@pytest.mark.slow
def test_a_rerun_removes_what_a_killed_run_left_of_its_section(store: SpotStore, make_section: MakeSection) -> None:
    process, folder = writer(store)
    kill(process)
    other = store.temporary("slides", "S2")
    add_section(store, make_section(2, image=False), SectionKey("S1", "P1", "two"))
    assert not folder.exists()
    assert other.exists(), "that is of another section"


def test_work_that_is_dated_far_in_the_future_is_old(store: SpotStore) -> None:
    unlisted = store.path / "slides" / "S1" / "superseded"
    unlisted.mkdir(parents=True)
    (unlisted / "chunk").touch()
    os.utime(unlisted / "chunk", (FUTURE, FUTURE))
    assert collect_garbage(store) == [unlisted]


def test_work_that_another_clock_dates_a_little_ahead_is_recent(store: SpotStore) -> None:
    unlisted = store.path / "slides" / "S1" / "superseded"
    unlisted.mkdir(parents=True)
    os.utime(unlisted, (time.time() + 60, time.time() + 60))
    assert collect_garbage(store) == []


def test_files_that_killed_processes_left_are_removed(store: SpotStore) -> None:
    left = [
        store.path / "spacrd.json.new",
        store.path / "failures" / f".{'0' * 32}",
        lock_file(store.path / "sections" / "S1" / ".tmp-1"),
        store.path / "sections" / "S1" / f".in-use-{'0' * 32}.lock",
        store.path / "embeddings" / f".in-use-{'0' * 32}.lock",
    ]
    for file in left:
        file.parent.mkdir(exist_ok=True)
        file.touch()
    collect_garbage(store)
    assert [file for file in left if file.exists()] == []


def test_the_groups_of_a_section_that_was_replaced_are_kept_for_their_readers(
    store: SpotStore, make_section: MakeSection
) -> None:
    first = store.path / store.entry("S1").section.path
    for path in (*first.rglob("*"), first):
        os.utime(path, (0, 0))
    add_section(store, make_section(2, image=False), SectionKey("S1", "P1", "two"))
    assert collect_garbage(store) == []
    assert first.is_dir()


@pytest.mark.slow
def test_collecting_and_looking_for_links_bear_that_others_publish_meanwhile(store: SpotStore) -> None:
    ended = threading.Event()

    def write() -> None:
        other = SpotStore.open(store.path)
        while not ended.is_set():
            with other.writing("S1"):
                folder = other.temporary("sections", "S1")
                (folder / "obs").mkdir()
                shutil.rmtree(folder)

    writers = [threading.Thread(target=write) for _ in range(2)]
    for writer in writers:
        writer.start()
    try:
        for _ in range(300):
            assert collect_garbage(store) == []
            assert find_links(store) == []
    finally:
        ended.set()
        for writer in writers:
            writer.join()


def test_what_is_gone_is_passed_over_only_where_others_are_at_work(tmp_path: Path) -> None:
    for in_use in (True, False):
        (tmp_path / "a/b").mkdir(parents=True)
        entries = entries_below(tmp_path, in_use=in_use)
        assert next(entries).name == "a"
        shutil.rmtree(tmp_path / "a")
        with nullcontext() if in_use else pytest.raises(FileNotFoundError):
            assert list(entries) == []


def test_folders_in_the_place_of_small_files_are_left(store: SpotStore, make_section: MakeSection) -> None:
    add_section(store, make_section(1, image=False), SectionKey("S1", "P1", "one"))
    for name in ("failures/.x", "embeddings/x.lock"):
        (store.path / name).mkdir(parents=True)
    assert collect_garbage(store) == []
    assert (store.path / "failures" / ".x").is_dir()


def test_folders_nested_beyond_all_measure_are_named(store: SpotStore, make_section: MakeSection) -> None:
    add_section(store, make_section(1, image=False), SectionKey("S1", "P1", "one"))
    (store.path / "sections" / "S1" / Path(*["d"] * 250)).mkdir(parents=True)
    with pytest.raises(StoreError, match="is nested deeper than 200 folders"):
        collect_garbage(store)
