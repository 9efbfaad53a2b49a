"""Label a section of the store, and leave everything else of it as it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from spacrd_core.cards import fingerprint
from spacrd_core.errors import LabelError
from spacrd_core.ingestion.added_labels import add_to_earlier, same_labels
from spacrd_core.ingestion.given import ADDED_LABELS, OF_LABELS, record_given
from spacrd_core.ingestion.identity import section_identity
from spacrd_core.ingestion.options import IngestOptions
from spacrd_core.ingestion.stored_section import stored_section
from spacrd_core.labels.attach import attach_labels
from spacrd_core.labels.mask import Mask
from spacrd_core.labels.outlines import Polygons
from spacrd_core.labels.tables import Labels, LabelTable, read_labels
from spacrd_core.labels.vocabulary import Vocabulary
from spacrd_core.outputs import require_room
from spacrd_core.store.claims import remove_left_locks
from spacrd_core.store.relabel import replace_labels

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from spacrd_core.section.section import Section
    from spacrd_core.store.manifest import SectionEntry
    from spacrd_core.store.store import SpotStore

INGEST_HINT = "spacrd ingest STORE PATH --name {section}{region} --labels {labels} --replace, which reads the run again"


@dataclass(frozen=True)
class Labelled:
    """A section of the store with its new labels, the entry that it had before, and notes about the labels."""

    entry: SectionEntry
    before: SectionEntry
    notes: tuple[str, ...]

    @property
    def status(self) -> Literal["labelled", "unchanged"]:
        """``unchanged`` if the section had these labels."""
        return "unchanged" if self.entry == self.before else "labelled"


def label_section(
    store: SpotStore,
    section: str,
    labels: Path,
    *,
    positive: Sequence[str] = (),
    ignore: Sequence[str] = (),
    label_section: str = "",
    add: bool = False,
) -> Labelled:
    """Label a section of the store by a label file of any layout; its earlier labels are replaced.

    ``label_section`` names the section in a label table of several. With ``add``, spots of which the file says nothing
    keep their earlier labels.

    The counts, the slide, the embeddings and the calls are not touched. The labels are checked as at ingestion.

    Raises
    ------
    UnknownSection
        If the store has no such section.
    LabelError
        If the labels are evidently of another section, or cannot be joined to what the store holds.
    """
    entry = store.entry(section)
    require_room(store.path)
    bare, table = stored_section(store, entry), read_labels(labels, label_section)
    _require_known_order(bare, table, entry, labels)
    _require_known_frame(bare, table, entry, labels)
    labelled = _attach(bare, table, Vocabulary(tuple(positive), tuple(ignore)), entry, labels)
    words = {"positive": tuple(positive), "ignore": tuple(ignore), "label_section": label_section}
    options = _options(entry, labels, words)
    identity = section_identity(labelled, options, name=section, patient=entry.patient)
    given = record_given(options)
    if add and entry.labelled:
        labelled = add_to_earlier(labelled, before := store.spots(section), entry)
        if same_labels(labelled, before):
            identity = entry.identity
        else:
            identity = fingerprint({"labels": identity, "added to": entry.identity})
        given = {**entry.given, ADDED_LABELS: [*entry.given.get(ADDED_LABELS, []), given["labels"]]}
    notes = tuple(note for note in labelled.notes if not add or note not in entry.label_notes)
    if identity == entry.identity:
        remove_left_locks(store, section)
        return Labelled(entry, entry, notes)
    return Labelled(replace_labels(store, entry, labelled, identity=identity, given=given), entry, notes)


def _attach(bare: Section, table: Labels, vocabulary: Vocabulary, entry: SectionEntry, labels: Path) -> Section:
    """Return the section with the labels of the file, or say why those need the run itself."""
    try:
        return attach_labels(bare, table, vocabulary)
    except LabelError as error:
        if "n_bins" in bare.counts.obs:  # spots summed from bins, which the store does not hold
            error.add_note("labels by bin need the run itself: " + _ingest_hint(entry, labels))
        elif entry.given.get("region"):
            error.add_note("labels of the whole capture area need the run itself: " + _ingest_hint(entry, labels))
        raise


def _require_known_order(bare: Section, table: object, entry: SectionEntry, labels: Path) -> None:
    """Refuse labels in counts order where the store has not recorded that order."""
    recorded = "in_counts_order" in bare.counts.uns.get("spacrd", {})
    if isinstance(table, LabelTable) and table.kind == "vector" and not recorded:
        raise LabelError(
            f"{labels} has labels in counts order, which an earlier version of SpaCRD did not record for section "
            f"'{entry.id}'",
            hint=_ingest_hint(entry, labels),
        )


def _require_known_frame(bare: Section, table: object, entry: SectionEntry, labels: Path) -> None:
    """Refuse drawings that need the slide, for its bounds or its size, if the slide is no longer there."""
    cropped = entry.slide is not None and entry.slide.viewer_corner_px != (0.0, 0.0)
    needs_slide = (isinstance(table, Polygons) and cropped) or isinstance(table, Mask)
    if needs_slide and bare.slide and not bare.slide.path.is_file():
        raise LabelError(
            f"{labels} was drawn on the slide {bare.slide.path}, which is needed to place it and is no longer there",
            hint=_ingest_hint(entry, labels),
        )


def _options(entry: SectionEntry, labels: Path, words: Mapping[str, object]) -> IngestOptions:
    """Return the options that would have given the section with these labels."""
    others = {key: value for key, value in entry.given.items() if key not in OF_LABELS}
    known = {key: value for key, value in others.items() if key in IngestOptions.model_fields}
    path = next((source.path for source in entry.sources if source.role == "counts"), "")
    return IngestOptions.model_validate({"path": path, **known, "labels": labels, **words})


def _ingest_hint(entry: SectionEntry, labels: Path) -> str:
    region = f" --region {entry.given['region']}" if entry.given.get("region") else ""
    return INGEST_HINT.format(section=entry.given.get("name", entry.id), region=region, labels=labels)
