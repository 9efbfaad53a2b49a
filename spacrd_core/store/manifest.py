"""The manifest: the one file that says which groups of a store count."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Literal, Self

from pydantic import Field, model_validator

from spacrd_core.errors import CorruptStore
from spacrd_core.files import Record, read_record, sync

if TYPE_CHECKING:
    from pathlib import Path

SCHEMA = 1
KINDS = ("sections", "cells", "slides", "embeddings", "predictions")
NAME = r"[A-Za-z0-9][A-Za-z0-9._-]*"


class GroupRecord(Record):
    """An immutable group: where it is in the store and the checksum of its files."""

    path: str = Field(pattern=rf"^({'|'.join(KINDS)})/{NAME}/{NAME}$")
    sha256: str


class SlideRecord(GroupRecord):
    """A section's pyramid; ``um_per_full_px`` leads from full-resolution px to um in the slide's frame.

    ``image_px_per_full_px`` leads to px of the image that users open: the one it was made from, if that is no preview.
    """

    um_per_full_px: float
    image_px_per_full_px: float = 1.0


class EmbeddingRecord(GroupRecord):
    """One encoder's embeddings of one section."""

    encoder: str
    recipe: str


class SourceRecord(Record):
    """A file a section was made from."""

    role: str
    path: str
    sha256: str


class SectionEntry(Record):
    """Everything the store knows of a section without opening it.

    ``identity`` stands for the inputs it was made from; ``geometry`` for its slide and spot positions, on which
    embeddings depend; ``checks`` are the figures of :class:`~spacrd_core.ingestion.checks.Checks` and ``on_tissue``,
    the share of spots that show tissue; ``cells`` tells the spot of each cell, where spots were summed from cells.
    """

    id: str = Field(pattern=rf"^{NAME}$")
    patient: str
    platform: str
    identity: str
    geometry: str
    spots: int
    genes: int
    um_per_px: float
    spot_um: float
    spot_shape: Literal["disc", "square"]
    pitch_um: float
    labelled: int
    cancer: int
    label_source: str = ""
    notes: tuple[str, ...] = ()
    checks: dict[str, float | None] = Field(default_factory=dict)
    sources: tuple[SourceRecord, ...] = ()
    section: GroupRecord
    cells: GroupRecord | None = None
    slide: SlideRecord | None = None
    embeddings: dict[str, EmbeddingRecord] = Field(default_factory=dict)
    predictions: dict[str, GroupRecord] = Field(default_factory=dict)

    @property
    def groups(self) -> tuple[GroupRecord, ...]:
        """Every group the entry stands for."""
        optional = tuple(group for group in (self.cells, self.slide) if group)
        return (self.section, *optional, *self.embeddings.values(), *self.predictions.values())


class Manifest(Record):
    """The sections of a store, by id."""

    format: Literal["spacrd-store"] = "spacrd-store"
    schema_version: int = Field(SCHEMA, ge=1)
    sections: dict[str, SectionEntry] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _named_by_id(self) -> Self:
        wrong = [name for name, entry in self.sections.items() if name != entry.id]
        if wrong:
            raise ValueError(f"sections stand under other names than their own: {', '.join(wrong)}")
        return self

    def with_entry(self, entry: SectionEntry) -> Manifest:
        """Return the manifest with a section added or replaced."""
        sections = {**self.sections, entry.id: entry}
        return self.model_copy(update={"sections": dict(sorted(sections.items()))})


def read_manifest(file: Path) -> Manifest:
    """Return the manifest of a store.

    Raises
    ------
    CorruptStore
        If the file is no manifest, or a newer SpaCRD wrote it.
    """
    return read_record(file, Manifest, newest=SCHEMA, refuse=CorruptStore)


def write_manifest(manifest: Manifest, file: Path) -> None:
    """Replace the manifest atomically."""
    aside = file.with_suffix(".json.new")
    aside.write_text(manifest.model_dump_json(indent=1), encoding="utf-8")
    sync(aside)
    os.replace(aside, file)  # noqa: PTH105 - the atomic one, by its own name
    sync(file.parent)
