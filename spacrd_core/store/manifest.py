"""The manifest: the file that lists the valid groups of a store."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import Field, NonNegativeInt, model_validator

from spacrd_core.errors import CorruptStore
from spacrd_core.files import Record, parse_record, sync
from spacrd_core.opening.small import MAX_RECORD_BYTES, read_small
from spacrd_core.quoting import listed

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

# 2: what was given for a section, its label notes, the frame of a cropped slide, alignments
# 3: slides in JPEG, and checksums in every chunk
# 4: a checksum of the layout of every group
SCHEMA_VERSION = 4
GROUP_KINDS = ("sections", "cells", "alignments", "slides", "embeddings", "predictions")
Length = Annotated[float, Field(gt=0, le=1e9)]  # of a px, a spot or a pitch, in um
NAME_PATTERN = r"[A-Za-z0-9][A-Za-z0-9._-]*"


class GroupRecord(Record):
    """An immutable group: its path in the store and the checksum of its files.

    ``layout`` is a checksum of the names and sizes of the files and of the metadata, which is verified whenever the
    group is opened; '' in stores of earlier versions.
    """

    path: str = Field(pattern=rf"^({'|'.join(GROUP_KINDS)})/{NAME_PATTERN}/{NAME_PATTERN}$")
    sha256: str
    layout: str = ""


class SlideRecord(GroupRecord):
    """A section's slide pyramid, and the scale factors from full-resolution px.

    ``um_per_full_px`` converts to um in the slide's frame. ``image_px_per_full_px`` converts to px of the image that
    users open in a viewer: the image the pyramid was made from, or the full-resolution image if that was a preview.
    ``file_px_per_full_px`` converts to px of the file that was read, preview or not; 0 if that was not recorded.
    ``viewer_corner_px`` is the px of that image at the top left corner of what viewers show, if they crop it.
    """

    um_per_full_px: Length
    image_px_per_full_px: float = 1.0
    file_px_per_full_px: float = 0.0
    viewer_corner_px: tuple[float, float] = (0.0, 0.0)


class EmbeddingRecord(GroupRecord):
    """The embeddings of one section by one encoder."""

    encoder: str
    recipe: str


class SourceRecord(Record):
    """A file that a section was read from."""

    role: str
    path: str
    sha256: str


class SectionEntry(Record):
    """What the store records about one section.

    ``identity`` is a hash of all inputs; ``geometry`` is a hash of the slide and the spot positions, on which
    embeddings depend. ``checks`` has the results of the checks at ingestion, and ``on_tissue``, the fraction of spots
    on tissue. ``cells`` maps each cell to its spot, if spots were summed from cells, and
    ``alignment`` is that of the slide, if it was proposed automatically. ``given`` has the options that
    the user gave at ingestion, with absolute paths, and ``label_notes`` those of the notes that are about the labels;
    both are empty in stores of earlier versions.
    """

    id: str = Field(pattern=rf"^{NAME_PATTERN}$")
    patient: str
    platform: str
    identity: str
    geometry: str
    spots: NonNegativeInt
    genes: NonNegativeInt
    um_per_px: Length
    spot_um: Length
    spot_shape: Literal["disc", "square"]
    pitch_um: Length
    labelled: NonNegativeInt
    cancer: NonNegativeInt
    label_source: str = ""
    notes: tuple[str, ...] = ()
    label_notes: tuple[str, ...] = ()
    given: dict[str, Any] = Field(default_factory=dict)
    checks: dict[str, float | None] = Field(default_factory=dict)
    sources: tuple[SourceRecord, ...] = ()
    section: GroupRecord
    cells: GroupRecord | None = None
    alignment: GroupRecord | None = None
    slide: SlideRecord | None = None
    embeddings: dict[str, EmbeddingRecord] = Field(default_factory=dict)
    predictions: dict[str, GroupRecord] = Field(default_factory=dict)

    @property
    def groups(self) -> tuple[GroupRecord, ...]:
        """All groups of the section."""
        optional = tuple(group for group in (self.cells, self.alignment, self.slide) if group)
        return (self.section, *optional, *self.embeddings.values(), *self.predictions.values())


class Manifest(Record):
    """The sections of a store, by id."""

    format: Literal["spacrd-store"] = "spacrd-store"
    schema_version: int = Field(SCHEMA_VERSION, ge=1)
    sections: dict[str, SectionEntry] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _named_by_id(self) -> Self:
        mismatched = [name for name, entry in self.sections.items() if name != entry.id]
        if mismatched:
            raise ValueError(f"section ids do not match their keys: {listed(mismatched)}")
        return self

    def with_entry(self, entry: SectionEntry) -> Manifest:
        """Return the manifest with a section added or replaced."""
        sections = {**self.sections, entry.id: entry}
        return self.model_copy(update={"sections": dict(sorted(sections.items()))})

    def without(self, ids: Collection[str]) -> Manifest:
        """Return the manifest without some sections."""
        return self.model_copy(update={"sections": {k: v for k, v in self.sections.items() if k not in ids}})


@dataclass(frozen=True)
class _Reading:
    """A manifest, the text it was read from, and the JSON of its sections."""

    text: bytes = b""
    sections: Mapping[str, Any] = field(default_factory=dict)
    manifest: Manifest = field(default_factory=Manifest)

    def reuse(self, content: dict[str, Any]) -> dict[str, Any]:
        """Return the JSON of a manifest with the entries of this one for sections that are equal."""
        sections = content.get("sections")
        if not isinstance(sections, dict):
            return content
        entries = self.manifest.sections
        known = {name: entries[name] for name, facts in sections.items() if _same(self.sections.get(name), facts)}
        return {**content, "sections": sections | known}


def _same(known: Any, facts: Any) -> bool:
    """Return whether the JSON of two sections is equal, with their groups in the same order: the last is the latest."""
    return bool(known == facts) and all(
        [*known[key]] == [*value] for key, value in facts.items() if isinstance(value, dict)
    )


_last = [_Reading()]  # of this process, which asks for the manifest many times for each section


def read_manifest(file: Path) -> Manifest:
    """Return the manifest of a store.

    What has not changed since this process last read one is not validated again: with hundreds of sections, every
    writer changes one of them, and every reader needs one.

    Raises
    ------
    CorruptStore
        If the file is not a manifest, or a newer SpaCRD wrote it.
    """
    text, last = read_small(file, CorruptStore, limit=MAX_RECORD_BYTES), _last[0]
    if text == last.text:
        return last.manifest
    sections: Any = None

    def prepare(content: dict[str, Any]) -> dict[str, Any]:
        nonlocal sections
        sections = content.get("sections")
        return last.reuse(content)

    manifest = parse_record(text, file, Manifest, max_version=SCHEMA_VERSION, error=CorruptStore, prepare=prepare)
    _last[0] = _Reading(text, sections or {}, manifest)
    return manifest


def write_manifest(manifest: Manifest, file: Path) -> None:
    """Replace the manifest atomically; a store of an earlier version becomes one of this version."""
    new_file = file.with_suffix(".json.new")
    current = manifest.model_copy(update={"schema_version": SCHEMA_VERSION})
    new_file.unlink(missing_ok=True)  # of a killed process, or a link
    with new_file.open("x", encoding="utf-8") as stream:
        stream.write(current.model_dump_json(indent=1))
    sync(new_file)
    new_file.replace(file)
    sync(file.parent)
