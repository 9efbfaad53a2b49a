"""Every chunk of a store has a checksum, so that damage is found by whoever reads it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import zarr
from conftest import MakeSection

from spacrd_core.embedding.embed import embed
from spacrd_core.embedding.settings import Settings
from spacrd_core.errors import CorruptStore
from spacrd_core.store.entry import SectionKey
from spacrd_core.store.manifest import SectionEntry
from spacrd_core.store.store import SpotStore
from spacrd_core.store.verify import verify
from spacrd_core.store.write import add_section

READ: dict[str, Callable[[SpotStore, SectionEntry], Any]] = {
    "sections": lambda store, entry: store.section(entry.id),
    "embeddings": lambda store, entry: store.embedding(entry.id, key=next(iter(entry.embeddings))),
    "predictions": lambda store, entry: store.predictions(entry.id),
    "slides": lambda store, entry: store.pyramid(entry.id).thumbnail(500),  # type: ignore[union-attr]
}


@pytest.fixture
def store(tmp_path: Path, make_section: MakeSection) -> SpotStore:
    """A section with a slide, embeddings and predictions."""
    store = SpotStore.create(tmp_path / "store")
    add_section(store, make_section(1), SectionKey("S1", "P1", "one"))
    embed(store, "stain", settings=Settings(device="cpu"))
    table = pd.DataFrame({"label": ["cancer"] * 9, "probability": np.linspace(0, 1, 9)}, index=list("abcdefghi"))
    store.publish_predictions(store.entry("S1"), table, key="detector-key", detector={})
    return store


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
