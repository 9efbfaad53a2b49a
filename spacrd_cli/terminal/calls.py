"""What the terminal says about the calls of sections: a table, and JSON documents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spacrd_cli.terminal.tables import Column, FittedTable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from spacrd_core.store.manifest import SectionEntry
LABELS = ("cancer", "normal", "uncertain")
SECTION_COLUMNS = (
    "section",
    "spots",
    "cancer",
    "normal",
    "uncertain",
    Column("mean probability", 2),
    Column("beyond training", 1),
    Column("agreement", 1),
    Column("genes", 4),
    Column("image", 4),
    Column("threshold", 3),
    Column("copy number", 1),
    Column("cautions", 1),
)


def calls_table(sections: Mapping[str, Mapping[str, Any]]) -> FittedTable:
    """Return one row per section, from its documents: its calls, what they rest on, and the threshold."""
    return FittedTable(SECTION_COLUMNS, [_row(name, facts) for name, facts in sections.items()])


def calls_document(entry: SectionEntry, spots: pd.DataFrame, cautions: Sequence[str]) -> dict[str, object]:
    """Return what ``--json`` says about the calls of a section."""
    about = {"patient": entry.patient, "platform": entry.platform, "um_per_px": entry.um_per_px}
    return {**about, **_summary(spots), **_decision(spots), **_findings(spots), "cautions": list(cautions)}


def _row(name: str, facts: Mapping[str, Any]) -> list[object]:
    counts = [facts[key] for key in ("spots", "cancer", "normal", "uncertain", "mean_probability", "beyond_training")]
    coverage = [facts["gene_coverage"], facts["image_coverage"]]
    rest = [*coverage, facts["threshold"], facts["copy_number"]["verdict"], len(facts["cautions"])]
    return [name, *counts, min(facts["agreement"].values(), default=None), *rest]


def _summary(spots: pd.DataFrame) -> dict[str, object]:
    counts = {label: int((spots["label"] == label).sum()) for label in LABELS}
    return {
        "spots": len(spots),
        **counts,
        "mean_probability": float(spots["probability"].mean()),
        "beyond_training": float((spots["ood"] > 1).mean()) if spots["ood"].notna().any() else None,
        "gene_coverage": float(spots["gene_coverage"].mean()),
        "image_coverage": float(spots["image_coverage"].mean()),
    }


def _decision(spots: pd.DataFrame) -> dict[str, object]:
    """Return the threshold, its rule, and the error levels of the conformal sets."""
    from spacrd_core.model.decision import TABLE_KEY  # imports scikit-learn

    return dict(spots.attrs[TABLE_KEY])


def _findings(spots: pd.DataFrame) -> dict[str, object]:
    """Return the agreement by modality, whether there is epithelium, and what copy number says."""
    from spacrd_core.copy_number.result import CopyNumber
    from spacrd_core.model.findings import Findings  # imports scikit-learn

    findings = Findings.from_table(spots)
    return {
        "agreement": dict(findings.agreement),
        "epithelium": findings.epithelium,
        "copy_number": CopyNumber.from_table(spots).to_dict(),
    }
