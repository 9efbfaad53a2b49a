"""What the terminal says about sections that were ingested: a table, JSON documents and notes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spacrd_cli.terminal.errors import error_documents
from spacrd_cli.terminal.tables import Column, FittedTable
from spacrd_core.quoting import listed

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

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


def failed_document(options: IngestOptions, error: Exception) -> dict[str, object]:
    """Return what ``--json`` says about a section that could not be ingested."""
    errors = error_documents(error)
    return {"id": options.section_id, "path": str(options.path), "status": "failed", "errors": errors}


def report_notes(out: Output, ingested: Sequence[Ingested], *, patients: bool = True) -> None:
    """Report the checks, every note, what a replaced section has lost, and the sections without a patient ID.

    Without ``patients``, the last is left out: sections that are not kept are never split between training and test.
    """
    shared = _shared_notes(ingested)
    for area, sentences in shared.items():
        _report(out, area, sentences)
    for item in ingested:
        notes = [note for note in item.entry.notes if note not in shared.get(item.part_of, ())]
        _report(out, item.entry.id, [_check_summary(item.entry), *item.kept, *notes])
        for sentence in item.warnings:
            out.warn(f"{item.entry.id}: {sentence}")
    without_patient = [item for item in ingested if patients and not item.patient_given]
    if sections := [item.entry.id for item in without_patient if not item.part_of]:
        out.info(f"{listed(sections)}: no --patient was given, so each section counts as its own patient")
    if parts := [item.entry.id for item in without_patient if item.part_of]:
        out.info(f"{listed(parts)}: --region names no patient for them, so each part counts as its own patient")


def _report(out: Output, section: str, sentences: Iterable[str]) -> None:
    from spacrd_core.genes.known import UNKNOWN_GENES

    for sentence in sentences:
        say = out.warn if sentence.startswith(UNKNOWN_GENES) else out.info
        say(f"{section}: {sentence}")


def _shared_notes(ingested: Sequence[Ingested]) -> dict[str, list[str]]:
    """Return the notes that all parts of a capture area have, by its name."""
    parts: dict[str, list[SectionEntry]] = {}
    for item in ingested:
        if item.part_of:
            parts.setdefault(item.part_of, []).append(item.entry)
    return {
        area: [note for note in entries[0].notes if all(note in entry.notes for entry in entries)]
        for area, entries in parts.items()
        if len(entries) > 1
    }


def _check_summary(entry: SectionEntry) -> str:
    checks = entry.checks
    fractions = (("inside_image", "of the spots inside the image"), ("on_tissue", "on tissue"))
    figures = [f"{fraction:.0%} {text}" for key, text in fractions if (fraction := checks.get(key)) is not None]
    counts = (
        ("empty_spots", "spots with zero counts"),
        ("shared_symbols", "symbols shared by several genes"),
        ("genes_with_ids", "genes with an Ensembl id"),
    )
    if entry.genes:
        figures += [f"{checks[key]:.0f} {text}" for key, text in counts if checks.get(key) is not None]
    return f"checked: {', '.join(figures)}"
