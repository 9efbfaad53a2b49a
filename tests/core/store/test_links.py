"""Links in a store: nothing outside is read, written or removed through one, whichever folder or file is the link."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from conftest import CopyOf, MakeSection

from spacrd_core.errors import StoreError
from spacrd_core.store.entry import SectionKey
from spacrd_core.store.failures import note_failures, read_failures
from spacrd_core.store.garbage import collect_garbage, find_links
from spacrd_core.store.remove import remove_sections, stored_bytes
from spacrd_core.store.store import SpotStore
from spacrd_core.store.verify import verify
from spacrd_core.store.write import add_section

LONG_AGO = 1_600_000_000
TOP = ("sections", "slides", "embeddings", "failures", "spacrd.json", "spacrd.lock")


@pytest.fixture
def store(copy_of: CopyOf, make_section: MakeSection) -> SpotStore:
    def fill(folder: Path) -> None:
        store = SpotStore.create(folder)
        add_section(store, make_section(1), SectionKey("S1", "P1", "one"))
        publish(store)
        note_failures(store, "embed", {"S1": ValueError("no weights")})
        (store.path / "cells").mkdir()
        (store.path / "embeddings").mkdir()

    return SpotStore(copy_of(fill))


def publish(store: SpotStore) -> None:
    entry = store.entry("S1")
    table = pd.DataFrame({"probability": [0.5]}, index=["1x1"])
    store.publish_predictions(entry, table, key="k" * 16, detector={"head": "spacrd"})


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder outside the store, of which everything was changed long ago."""
    folder = tmp_path / "home"
    (folder / "thesis").mkdir(parents=True)
    (folder / "thesis" / "thesis.tex").write_text("precious")
    (folder / ".tmp-1").mkdir()
    (folder / "old.lock").touch()
    for path in (*folder.rglob("*"), folder):
        os.utime(path, (LONG_AGO, LONG_AGO))
    return folder


def state(folder: Path) -> dict[str, tuple[int, bytes]]:
    paths = sorted(folder.rglob("*"))
    return {
        str(path.relative_to(folder)): (path.stat().st_mtime_ns, path.read_bytes() if path.is_file() else b"")
        for path in (*paths, folder)
    }


def move_outside(store: SpotStore, part: str) -> Path:
    """Move a part of a store to another disk, so to speak, and leave a link to it."""
    original, outside = store.path / part, store.path.parent / "disk"
    shutil.move(original, outside)
    original.symlink_to(outside)
    return outside


@pytest.mark.parametrize("grace_seconds", [0, 3600])
@pytest.mark.parametrize("place", ["sections/S9", "embeddings/S1", "slides/S1/other", "cells/.in-use-1.lock"])
def test_garbage_collection_leaves_a_link_and_all_that_it_leads_to(
    store: SpotStore, home: Path, place: str, grace_seconds: float
) -> None:
    link = store.path / place
    link.parent.mkdir(exist_ok=True)
    link.symlink_to(os.path.relpath(home, link.parent))
    before = state(home)
    collect_garbage(store, grace_seconds=grace_seconds)
    assert state(home) == before
    assert link.is_symlink()
    assert find_links(store) == [link]


@pytest.mark.parametrize("part", TOP)
def test_a_store_of_which_a_part_is_a_link_is_refused(store: SpotStore, part: str) -> None:
    outside = move_outside(store, part)
    before = outside.read_bytes() if outside.is_file() else state(outside)
    for use in (SpotStore.open, SpotStore.create):
        with pytest.raises(StoreError, match=f"{part} is a link, and a store must not contain links"):
            use(store.path)
    assert before == (outside.read_bytes() if outside.is_file() else state(outside))


USES: dict[str, tuple[str, Callable[[SpotStore, MakeSection], object]]] = {
    "a section": ("sections/S1", lambda store, _: store.section("S1")),
    "spots": ("sections/S1", lambda store, _: store.spots("S1")),
    "a slide": ("slides/S1", lambda store, _: store.pyramid("S1")),
    "predictions": ("predictions/S1", lambda store, _: store.predictions("S1")),
    "replacing a section": (
        "slides/S1",
        lambda store, make: add_section(store, make(2), SectionKey("S1", "P1", "two")),
    ),
    "new predictions": ("predictions/S1", lambda store, _: publish(store)),
    "embeddings to come": ("embeddings", lambda store, _: store.staging(store.entry("S1"), "key")),
    "failures": ("failures", lambda store, _: read_failures(store)),
    "a failure to note": ("failures", lambda store, _: note_failures(store, "embed", {"S1": ValueError("no")})),
}


@pytest.mark.parametrize("use", USES)
def test_nothing_is_read_or_written_through_a_link(store: SpotStore, make_section: MakeSection, use: str) -> None:
    part, run = USES[use]
    outside = move_outside(store, part)
    before = state(outside)
    with pytest.raises(StoreError, match="is a link"):
        run(SpotStore(store.path), make_section)
    assert state(outside) == before


def test_a_file_of_a_group_that_is_a_link_is_refused_and_named_by_verify(store: SpotStore, tmp_path: Path) -> None:
    entry = store.entry("S1")
    group = store.path / entry.section.path
    chunk = next(file for file in (group / "X").rglob("c/*") if file.is_file())
    chunk.rename(tmp_path / "outside")
    chunk.symlink_to(tmp_path / "outside")
    with pytest.raises(StoreError, match="is a link"):
        SpotStore(store.path).section("S1")
    [finding] = verify(store)
    assert f"{chunk.relative_to(store.path)} is a link" in finding


def test_a_section_with_a_link_is_repaired_by_ingesting_it_again(
    store: SpotStore, make_section: MakeSection, tmp_path: Path
) -> None:
    group = store.path / store.entry("S1").section.path
    (group / "zarr.json").rename(tmp_path / "outside")
    (group / "zarr.json").symlink_to(tmp_path / "outside")
    add_section(store, make_section(1), SectionKey("S1", "P1", "one"))
    assert verify(store) == []
    assert SpotStore(store.path).section("S1").n_obs
    assert (tmp_path / "outside").is_file()


def test_a_lock_that_is_a_link_is_left_with_its_folder(store: SpotStore, tmp_path: Path) -> None:
    (tmp_path / "victim").write_text("precious")
    folder = store.temporary("slides", "S1")
    folder.with_name(f"{folder.name}.lock").symlink_to(tmp_path / "victim")
    assert folder not in collect_garbage(store, grace_seconds=0)
    assert (tmp_path / "victim").read_text() == "precious"


def test_removing_a_section_does_not_touch_what_a_link_leads_to(store: SpotStore) -> None:
    outside = move_outside(store, "slides/S1")
    before = state(outside)
    [removed] = remove_sections(store, ["S1"])
    stored_bytes(store, removed)
    assert state(outside) == before


def test_a_manifest_is_not_written_through_a_link_that_a_stranger_left(store: SpotStore, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (store.path / "spacrd.json.new").symlink_to(victim)
    store.update(lambda manifest: manifest)
    assert victim.read_text() == "precious"
    assert not (store.path / "spacrd.json").is_symlink()


def test_the_store_itself_may_be_a_link(store: SpotStore, make_section: MakeSection, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(store.path)
    linked = SpotStore.open(link)
    add_section(linked, make_section(2), SectionKey("S2", "P2", "two"))
    assert verify(linked) == verify(store) == []
    assert linked.section("S2").n_obs == SpotStore(store.path).section("S2").n_obs
    assert collect_garbage(linked, grace_seconds=0) == []


def test_a_link_to_a_store_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    with pytest.raises(StoreError, match="which does not exist"):
        SpotStore.create(tmp_path / "link")
