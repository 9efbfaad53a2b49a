"""What the terminal says about sections that were ingested: a table, JSON documents and notes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spacrd_cli.terminal.errors import error_documents
from spacrd_cli.terminal.messages import report
from spacrd_cli.terminal.tables import Column, FittedTable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from spacrd_cli.terminal.output import Output
    from spacrd_core.ingestion.ingest import Ingested
    from spacrd_core.ingestion.options import IngestOptions
    from spacrd_core.store.manifest import SectionEntry

SECTION_COLUMNS = (
    *("section", Column("patient", 1), Column("platform", 2), "spots", Column("genes", 2), Column("um/px", 3)),
    *(Column("pitch um", 4), "labelled", "cancer", Column("image", 1), "status", Column("notes", 2)),
)
NOT_SHOWN = {"embeddings", "predictions", "identity", "geometry", "given", "label_notes"}


def ingested_table(ingested: Sequence[Ingested]) -> FittedTable:
    """Return one row per section."""
    return FittedTable(SECTION_COLUMNS, [_row(item) for item in ingested])


def _row(item: Ingested) -> list[object]:
    entry = item.entry
    counts = [entry.labelled or None, entry.cancer if entry.labelled else None]
    geometry = [round(entry.um_per_px, 4), entry.pitch_um]
    facts = [entry.id, entry.patient, entry.platform, entry.spots, entry.genes]
    return [*facts, *geometry, *counts, entry.slide is not None, item.status, len(entry.notes)]


def ingested_document(item: Ingested) -> dict[str, object]:
    """Return what ``--json`` says about a section."""
    entry: SectionEntry = item.entry
    facts = entry.model_dump(mode="json", exclude=NOT_SHOWN)
    return {**facts, "status": item.status, "kept": list(item.kept), "warnings": list(item.warnings)}


def failed_documents(options: IngestOptions, error: Exception) -> list[dict[str, str]]:
    """Return what ``--json`` says about the errors of a section that could not be ingested."""
    about = {"section": options.section_id, "path": str(options.path)}
    return [{**about, **document} for document in error_documents(error)]


def report_notes(out: Output, ingested: Sequence[Ingested], *, more: str = "", patients: bool = True) -> None:
    """Report the notes on sections that are new, what replaced ones have lost, and those without a patient ID.

    Without ``patients``, the last is left out: sections that are not kept are never split between training and test.
    ``more`` is the command that shows all notes of a section.
    """
    new = [item for item in ingested if item.status != "unchanged"]
    sentences = [(item.entry.id, sentence) for item in new for sentence in (*item.kept, *item.entry.notes)]
    warnings = [(item.entry.id, sentence) for item in new for sentence in item.warnings]
    report(
        out,
        [*(about for about in sentences if not _warns(about)), *(_without_patient(new) if patients else ())],
        [*filter(_warns, sentences), *warnings],
        more=more,
    )


def _without_patient(ingested: Iterable[Ingested]) -> Iterator[tuple[str, str]]:
    for item in ingested:
        if not item.patient_given:
            source = "--region names no patient" if item.part_of else "no --patient was given"
            yield item.entry.id, f"{source}: counts as a patient of its own"


def _warns(about: tuple[str, str]) -> bool:
    from spacrd_core.genes.known import UNKNOWN_GENES

    return about[1].startswith(UNKNOWN_GENES)
