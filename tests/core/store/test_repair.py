"""The remedy for a damaged group is the command that makes it anew."""

from pathlib import Path

import pytest

from spacrd_core.store.manifest import EmbeddingRecord, GroupRecord
from spacrd_core.store.repair import repair_hint


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
def test_the_hint_names_the_command_and_how_to_find_more(record: GroupRecord, command: str) -> None:
    assert repair_hint(Path("st"), record) == f"repair it by: {command}; spacrd store verify st finds all damage"
