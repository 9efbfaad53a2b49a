"""The cohort for MultiQC, which puts it beside what sequencing and alignment gave: a row a section."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from spacrd_core.results.result import Provenance

# MultiQC shows no name or description of general statistics as a whole: what readers are to know stands at each column.
FILE = "spacrd_mqc.json"  # MultiQC takes any file whose name ends in _mqc.json
SHARE = {"min": 0, "max": 1, "format": "{:,.2f}"}
COUNT = {"min": 0, "format": "{:,.0f}"}
COLUMNS: dict[str, dict[str, Any]] = {  # by the name in the section's summary
    "spots": {"title": "Spots", "description": "Spots that were called", "scale": "Greys"} | COUNT,
    "cancer": {"title": "Cancer", "description": "Spots called cancer", "scale": "Reds"} | COUNT,
    "uncertain": {"title": "Uncertain", "description": "Spots called uncertain", "scale": "Oranges"} | COUNT,
    "cancer_mm2": {
        "title": "Cancer mm\u00b2",
        "description": "Area of the cancer regions; none are drawn in a section unlike the training tissue",
        "scale": "Reds",
        "min": 0,
        "format": "{:,.2f}",
    },
    "mean_probability": {
        "title": "Mean probability",
        "description": "Calibrated probability of cancer, mean over spots",
        "scale": "Reds",
    }
    | SHARE,
    "beyond_training": {
        "title": "Unlike training",
        "description": "Share of spots unlike the training tissue; above 0.5 do not rely on the calls",
        "scale": "Purples",
    }
    | SHARE,
}


def write_multiqc(path: Path, summaries: Iterable[Mapping[str, object]], provenance: Provenance) -> None:
    """Write columns of MultiQC's general statistics; what is not known of a section is left out."""
    content = {
        "id": "spacrd",
        "plot_type": "generalstats",
        "headers": _headers(provenance.detector),
        "data": {str(summary["section"]): _known(summary) for summary in summaries},
    }
    path.write_text(json.dumps(content, indent=1, allow_nan=False) + "\n", encoding="utf-8")


def _headers(detector: str) -> dict[str, dict[str, Any]]:
    """Return the columns as MultiQC shows them: its tooltips say whose calls these are and what they are for."""
    said = f"by the detector {detector}, for research only"
    return {name: column | {"description": f"{column['description']} ({said})"} for name, column in COLUMNS.items()}


def _known(summary: Mapping[str, object]) -> dict[str, object]:
    return {name: summary[name] for name in COLUMNS if summary[name] is not None}
