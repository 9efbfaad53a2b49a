"""Every chunk of a store has a checksum, so that damage is found by whoever reads it."""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import zarr
from conftest import CopyOf, MakeSection

from spacrd_core.embedding.embed import embed
from spacrd_core.embedding.settings import Settings
from spacrd_core.errors import CorruptStore, StoreError
from spacrd_core.store.entry import SectionKey
from spacrd_core.store.manifest import SectionEntry
from spacrd_core.store.store import SpotStore
from spacrd_core.store.verify import verify, without_layout
from spacrd_core.store.write import add_section

READ: dict[str, Callable[[SpotStore, SectionEntry], Any]] = {
    "sections": lambda store, entry: store.section(entry.id),
    "embeddings": lambda store, entry: store.embedding(entry.id, key=next(iter(entry.embeddings))),
    "predictions": lambda store, entry: store.predictions(entry.id),
    "slides": lambda store, entry: store.pyramid(entry.id).thumbnail(500),  # type: ignore[union-attr]
}


@pytest.fixture
def store(copy_of: CopyOf, make_section: MakeSection) -> SpotStore:
    """A section with a slide, embeddings and predictions."""

    def fill(folder: Path) -> None:
        store = SpotStore.create(folder)
        add_section(store, make_section(1), SectionKey("S1", "P1", "one"))
        embed(store, "stain", settings=Settings(device="cpu"))
        table = pd.DataFrame({"label": ["cancer"] * 9, "probability": np.linspace(0, 1, 9)}, index=list("abcdefghi"))
        store.publish_predictions(store.entry("S1"), table, key="detector-key", detector={})

    return SpotStore(copy_of(fill))


def arrays(store: SpotStore) -> Iterator[tuple[str, Any]]:
    for group in store.entry("S1").groups:
        members = zarr.open_group(store.path / group.path, mode="r").members(max_depth=None)
        yield from ((f"{group.path}/{name}", array) for name, array in members if isinstance(array, zarr.Array))


def is_checked(array: Any) -> bool:
    codec = (array.metadata.codecs[0].codecs if array.shards else array.metadata.codecs)[-1].to_dict()
    return bool(codec["name"] == "crc32c" or codec.get("configuration", {}).get("checksum"))


def chunk_files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and path.name != "zarr.json"]


def test_every_array_with_data_has_checksums(store: SpotStore) -> None:
    unchecked = {name for name, array in arrays(store) if not is_checked(array) and chunk_files(store.path / name)}
    assert {name.rpartition("/")[2] for name in unchecked} <= {"done"}  # a ledger of single bytes, one file each


@pytest.mark.parametrize("kind", READ)
def test_a_flipped_bit_is_named_by_whoever_reads_it_and_by_verify(store: SpotStore, kind: str) -> None:
    entry = store.entry("S1")
    READ[kind](store, entry)
    group = next(group for group in entry.groups if group.path.startswith(kind))
    for file in chunk_files(store.path / group.path):
        content = bytearray(file.read_bytes())
        content[len(content) // 2] ^= 8
        file.write_bytes(content)
    with pytest.raises(CorruptStore, match=r"is damaged|cannot be read") as caught:
        READ[kind](SpotStore(store.path), entry)
    assert group.path in str(caught.value)
    assert "spacrd store verify" in caught.value.hint
    assert verify(store) == [f"section 'S1': {group.path} has changed since it was written"]


def test_a_section_that_is_ingested_again_is_sound(store: SpotStore, make_section: MakeSection) -> None:
    for kind in ("sections", "slides"):
        for file in chunk_files(store.path / kind):
            file.write_bytes(file.read_bytes()[::-1])
    assert len(verify(store)) == 2
    add_section(store, make_section(1), SectionKey("S1", "P1", "one"))
    assert verify(store) == []


@pytest.mark.ci_cases(5)
@pytest.mark.parametrize("kind", READ)
@pytest.mark.parametrize("damage", ["missing", "cut off", "empty", "more", "metadata"])
def test_a_group_whose_files_are_not_those_that_were_written_is_refused_with_the_remedy(
    store: SpotStore, kind: str, damage: str
) -> None:
    entry = store.entry("S1")
    group = next(group for group in entry.groups if group.path.startswith(kind))
    chunks = sorted(chunk_files(store.path / group.path), key=lambda file: file.stat().st_size)
    metadata = store.path / group.path / "zarr.json"
    if damage == "missing":
        chunks[-1].unlink()  # zarr would read it as background, or as zeros
    elif damage == "metadata":
        metadata.write_bytes(metadata.read_bytes().replace(b"3", b"2", 1))
    else:
        content = chunks[-1].read_bytes()
        chunks[-1].write_bytes({"cut off": content[:-9], "empty": b"", "more": content + b"\0"}[damage])
    with pytest.raises(CorruptStore, match="is damaged: files are missing or cut off, or its metadata") as caught:
        READ[kind](SpotStore(store.path), entry)
    assert str(store.path / group.path) in str(caught.value)
    assert "spacrd " in caught.value.hint
    assert "--section S1" in caught.value.hint or "--name S1 --replace" in caught.value.hint


def test_a_damaged_chunk_of_a_slide_is_named_with_the_command_that_repairs_it(store: SpotStore) -> None:
    slide = store.entry("S1").slide
    assert slide
    for file in chunk_files(store.path / slide.path):
        file.write_bytes(bytes(byte ^ 8 for byte in file.read_bytes()))
    with pytest.raises(CorruptStore) as caught:
        READ["slides"](SpotStore(store.path), store.entry("S1"))
    assert f"spacrd ingest {store.path} PATH --name S1 --replace" in caught.value.hint


def test_groups_of_an_earlier_version_are_read_and_counted(store: SpotStore) -> None:
    manifest = json.loads((store.path / "spacrd.json").read_text())
    manifest["schema_version"] = 3
    for group in (manifest["sections"]["S1"]["section"], manifest["sections"]["S1"]["slide"]):
        del group["layout"]
    (store.path / "spacrd.json").write_text(json.dumps(manifest))
    assert store.section("S1").n_obs
    assert without_layout(store) == 2
    assert verify(store) == []


def test_a_slide_of_an_earlier_version_gets_its_layout_when_it_is_ingested_again(
    store: SpotStore, make_section: MakeSection
) -> None:
    before = store.entry("S1")
    manifest = json.loads((store.path / "spacrd.json").read_text())
    del manifest["sections"]["S1"]["slide"]["layout"]
    (store.path / "spacrd.json").write_text(json.dumps(manifest))
    assert add_section(store, make_section(1), SectionKey("S1", "P1", "one")).slide == before.slide


@pytest.mark.parametrize("kind", READ)
def test_a_group_that_may_not_be_read_is_not_called_changed(store: SpotStore, kind: str) -> None:
    entry = store.entry("S1")
    group = next(group for group in entry.groups if group.path.startswith(kind))
    chunk = max(chunk_files(store.path / group.path), key=lambda file: file.stat().st_size)
    READ[kind](SpotStore(store.path), entry)  # imports what reading needs, which another user may not be able to
    with nobody_reads(store.path, chunk):
        [finding] = verify(store)
        with pytest.raises(StoreError, match="may not be read") as caught:
            READ[kind](SpotStore(store.path), entry)
    assert not isinstance(caught.value, CorruptStore)
    assert group.path in finding
    assert str(chunk) in finding
    assert "permissions" in finding


@contextmanager
def nobody_reads(store: Path, file: Path) -> Iterator[None]:
    """Take the right to read a file away inside the block; root may read everything, so it becomes another user."""
    for path in (store, *store.rglob("*")):
        path.chmod(0o755)
    file.chmod(0)
    if os.geteuid():
        yield
        return
    private = {folder: folder.stat().st_mode for folder in store.parents if folder.stat().st_mode & 0o11 != 0o11}
    for folder, mode in private.items():
        folder.chmod(mode | 0o11)
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)
        for folder, mode in private.items():
            folder.chmod(mode)
