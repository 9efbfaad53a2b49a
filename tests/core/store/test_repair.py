"""The remedy for a damaged group is the command that makes it anew."""

from pathlib import Path

import pytest
from conftest import MakeSection

from spacrd_core.store.entry import SectionKey
from spacrd_core.store.manifest import EmbeddingRecord, GroupRecord
from spacrd_core.store.repair import repair_hint
from spacrd_core.store.store import SpotStore
from spacrd_core.store.write import add_section


@pytest.fixture
def store(tmp_path: Path, make_section: MakeSection) -> SpotStore:
    store = SpotStore.create(tmp_path / "store")
    add_section(store, make_section(1, image=False), SectionKey("S1", "P1", "one"))
    return store


@pytest.mark.parametrize(
    ("record", "command"),
    [
        (GroupRecord(path="sections/S1/a", sha256=""), "spacrd ingest st PATH --name S1 --replace"),
        (GroupRecord(path="slides/S1/a", sha256=""), "spacrd ingest st PATH --name S1 --replace"),
        (
            EmbeddingRecord(path="embeddings/S1/a", sha256="", encoder="uni", recipe="r"),
            "spacrd embed st --encoder uni --section S1 --again",
        ),
        (GroupRecord(path="predictions/S1/a", sha256=""), "spacrd detect st DETECTOR --section S1"),
    ],
    ids=["counts", "slide", "embeddings", "predictions"],
)
def test_the_hint_names_the_command_the_command_and_how_to_find_more(record: GroupRecord, command: str) -> None:
    assert repair_hint(Path("st"), record) == f"repair it by: {command}; spacrd store verify st finds all damage"


def test_the_hint_names_what_was_ingested(store: SpotStore) -> None:
    entry = store.entry("S1").model_copy(update={"given": {"path": "/data/run 1"}})
    assert "spacrd ingest st '/data/run 1' --name S1 --replace;" in repair_hint(Path("st"), entry.section, entry)
    part = entry.model_copy(update={"given": {"path": "/data/run", "name": "TMA", "region": "/data/cores.csv"}})
    command = "spacrd ingest st /data/run --name TMA --region /data/cores.csv --replace;"
    assert command in repair_hint(Path("st"), entry.section, part)
