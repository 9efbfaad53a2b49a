"""What a user does about a damaged group of a store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spacrd_core.store.manifest import EmbeddingRecord

if TYPE_CHECKING:
    from pathlib import Path

    from spacrd_core.store.manifest import GroupRecord

REPAIR_ALL = (
    "repair counts and slides by: spacrd ingest STORE PATH --name ID --replace; "
    "embeddings by: spacrd embed STORE --encoder NAME --section ID --again; "
    "predictions by: spacrd detect STORE DETECTOR --section ID"
)


def repair_hint(store: Path, record: GroupRecord) -> str:
    """Return how to make a damaged or missing group anew, and how to find others."""
    return f"repair it by: {_command(store, record)}; spacrd store verify {store} finds all damage"


def _command(store: Path, record: GroupRecord) -> str:
    kind, section, _ = record.path.split("/")
    if isinstance(record, EmbeddingRecord):
        return f"spacrd embed {store} --encoder {record.encoder} --section {section} --again"
    if kind == "predictions":
        return f"spacrd detect {store} DETECTOR --section {section}"
    return f"spacrd ingest {store} PATH --name {section} --replace"
