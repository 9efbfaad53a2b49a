"""What the terminal says about the calls of sections: tables, JSON documents and warnings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spacrd_cli.terminal.tables import Column, FittedTable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pandas as pd

    from spacrd_core.detector.config import DetectorConfig
    from spacrd_core.store.store import SpotStore

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
)


def calls_table(tables: Mapping[str, pd.DataFrame]) -> FittedTable:
    """Return one row per section: its calls, what they rest on, and the threshold."""
    return FittedTable(SECTION_COLUMNS, [_row(name, spots) for name, spots in tables.items()])


def calls_document(spots: pd.DataFrame) -> dict[str, object]:
    """Return what ``--json`` says about the calls of a section."""
    return _summary(spots) | _decision(spots) | _findings(spots)


def call_warnings(store: SpotStore, tables: Mapping[str, pd.DataFrame], detector: DetectorConfig) -> Iterator[str]:
    """Yield warnings about the calls of sections, the most serious first."""
    from spacrd_core.results.warnings import cautions, is_out_of_distribution, training_overlap

    for name, spots in tables.items():
        if is_out_of_distribution(spots):
            yield f"section '{name}' is unlike the training tissue: do not rely on its calls"
        for caution in cautions(spots):
            yield f"section '{name}': {caution}"
    for name in tables:
        if overlap := training_overlap(name, store.entry(name).patient, detector):
            yield f"section '{name}': {overlap}"


def _summary(spots: pd.DataFrame) -> dict[str, object]:
    counts = {label: int((spots["label"] == label).sum()) for label in ("cancer", "normal", "uncertain")}
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
    """Return the agreement by modality, whether there is epithelium, what copy number says, and the cautions."""
    from spacrd_core.copy_number.result import CopyNumber
    from spacrd_core.model.findings import Findings  # imports scikit-learn
    from spacrd_core.results.warnings import cautions

    findings = Findings.from_table(spots)
    return {
        "agreement": dict(findings.agreement),
        "epithelium": findings.epithelium,
        "copy_number": CopyNumber.from_table(spots).to_dict(),
        "cautions": cautions(spots),
    }


def _row(section: str, spots: pd.DataFrame) -> list[object]:
    from spacrd_core.copy_number.result import CopyNumber

    summary, agreement = _summary(spots), float(spots["agreement"].iloc[0]) if len(spots) else float("nan")
    coverage = [summary.pop("gene_coverage"), summary.pop("image_coverage")]
    shown = None if agreement != agreement else agreement  # noqa: PLR0124 - NaN: unknown
    verdict = CopyNumber.from_table(spots).verdict
    return [section, *summary.values(), shown, *coverage, _decision(spots)["threshold"], verdict]
