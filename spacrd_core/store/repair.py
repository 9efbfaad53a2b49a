"""What a user does about a damaged group of a store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spacrd_core.quoting import command
from spacrd_core.store.manifest import EmbeddingRecord

if TYPE_CHECKING:
    from pathlib import Path

    from spacrd_core.store.manifest import GroupRecord, SectionEntry

REPAIR_ALL = (
    "repair counts and slides by: spacrd ingest STORE PATH --name ID --replace; "
    "embeddings by: spacrd embed STORE --encoder NAME --section ID --again; "
    "predictions by: spacrd detect STORE DETECTOR --section ID"
)


def repair_hint(store: Path, record: GroupRecord, entry: SectionEntry | None = None) -> str:
    """Return how to make a damaged or missing group of a section anew, and how to find others."""
    verify = command("store", "verify", store)
    return f"repair it by: {_command(store, record, entry)}; {verify} finds all damage"


def _command(store: Path, record: GroupRecord, entry: SectionEntry | None) -> str:
    kind, section, _ = record.path.split("/")
    if isinstance(record, EmbeddingRecord):
        return command("embed", store, "--encoder", record.encoder, "--section", section, "--again")
    if kind == "predictions":
        return command("detect", store, "DETECTOR", "--section", section)
    given = entry.given if entry else {}
    path = given.get("path") or "PATH"
    if region := given.get("region"):  # a part of a capture area, which is ingested with all others
        return command("ingest", store, path, "--name", given.get("name"), "--region", region, "--replace")
    return command("ingest", store, path, "--name", section, "--replace")
