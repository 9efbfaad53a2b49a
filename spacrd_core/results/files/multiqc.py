"""Columns for MultiQC's general statistics: one row per section, beside sequencing and alignment metrics."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from spacrd_core.results.result import Provenance

MULTIQC_FILE = "spacrd_mqc.json"  # MultiQC reads any file whose name ends in _mqc.json
FRACTION_FORMAT = {"min": 0, "max": 1, "format": "{:,.2f}"}
COUNT_FORMAT = {"min": 0, "format": "{:,.0f}"}
HEADERS: dict[str, dict[str, Any]] = {  # by summary key
    "spots": {"title": "Spots", "description": "Number of spots with a call", "scale": "Greys"} | COUNT_FORMAT,
    "cancer": {"title": "Cancer", "description": "Number of spots called cancer", "scale": "Reds"} | COUNT_FORMAT,
    "uncertain": {"title": "Uncertain", "description": "Number of spots called uncertain", "scale": "Oranges"}
    | COUNT_FORMAT,
    "cancer_mm2": {
        "title": "Cancer mm\u00b2",
        "description": "Area of the cancer regions; missing for a section unlike the training tissue",
        "scale": "Reds",
        "min": 0,
        "format": "{:,.2f}",
    },
    "mean_probability": {
        "title": "Mean probability",
        "description": "Mean calibrated probability of cancer over all spots",
        "scale": "Reds",
    }
    | FRACTION_FORMAT,
    "beyond_training": {
        "title": "Unlike training",
        "description": "Fraction of spots unlike the training tissue; do not rely on the calls above 0.5",
        "scale": "Purples",
    }
    | FRACTION_FORMAT,
}


def write_multiqc(path: Path, summaries: Iterable[Mapping[str, object]], provenance: Provenance) -> None:
    """Write columns for MultiQC's general statistics; unknown values are omitted."""
    content = {
        "id": "spacrd",
        "plot_type": "generalstats",
        "headers": _headers(provenance.name or provenance.detector),
        "data": {str(summary["section"]): _row(summary) for summary in summaries},
    }
    path.write_text(json.dumps(content, indent=1, allow_nan=False) + "\n", encoding="utf-8")


def _headers(detector: str) -> dict[str, dict[str, Any]]:
    """Return the column headers. MultiQC shows no section description here, so every column names the detector."""
    origin = f"detector {detector}, for research only"
    return {name: column | {"description": f"{column['description']} ({origin})"} for name, column in HEADERS.items()}


def _row(summary: Mapping[str, object]) -> dict[str, object]:
    return {name: summary[name] for name in HEADERS if summary[name] is not None}
