"""The spot table as CSV."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from spacrd_core.results.files.csv_text import as_texts

if TYPE_CHECKING:
    from pathlib import Path

    from spacrd_core.results.result import SectionResult

POSITION_DECIMALS = {"x_um": 3, "y_um": 3, "x_px": 3, "y_px": 3}
SCORE_DECIMALS = {
    "probability": 6,
    "spread": 6,
    "ood": 6,
    "agreement": 6,
    "gene_coverage": 6,
    "image_coverage": 6,
    "top_contribution": 6,
    "copy_number": 6,
}
BORDER_DECIMALS = {"border_distance_um": 3}
CALL_COLUMNS = ("probability", "label", "spread", "ood", "agreement", "gene_coverage", "image_coverage", "set")
CONTRIBUTION_COLUMNS = ("top_modality", "top_contribution", "copy_number")
COLUMNS = (*POSITION_DECIMALS, *CALL_COLUMNS, *CONTRIBUTION_COLUMNS, *BORDER_DECIMALS, "band")


def write_spots_csv(result: SectionResult, path: Path) -> None:
    """Write one row per spot: position, probability, label, quality scores, margin; unknown values are empty."""
    scores = result.spots.astype(dict.fromkeys(SCORE_DECIMALS, float))
    margins = {"border_distance_um": result.margins.distance_um, "band": result.margins.band}
    table = pd.concat([result.positions, scores.assign(**margins)], axis=1)[list(COLUMNS)]
    table.index = as_texts(table.index)
    table.round(POSITION_DECIMALS | SCORE_DECIMALS | BORDER_DECIMALS).to_csv(
        path, index_label="spot_id", lineterminator="\n"
    )
