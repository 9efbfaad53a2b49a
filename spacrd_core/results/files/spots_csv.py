"""The plain table everybody can open."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from pathlib import Path

    from spacrd_core.results.result import SectionResult

DECIMALS = {"x_um": 3, "y_um": 3, "x_px": 3, "y_px": 3}
SCORES = {"probability": 6, "spread": 6, "ood": 6, "gene_coverage": 6, "image_coverage": 6, "top_contribution": 6}
TOLD = ("probability", "label", "spread", "ood", "gene_coverage", "image_coverage", "set")
COLUMNS = (*DECIMALS, *TOLD, "top_modality", "top_contribution")


def write_spots_csv(result: SectionResult, path: Path) -> None:
    """Write a row a spot: where it is, how probable cancer is, how far to trust that, and why; empty where unknown."""
    scores = result.spots.astype(dict.fromkeys(SCORES, float))
    table = pd.concat([result.positions, scores], axis=1)[list(COLUMNS)]
    table.round(DECIMALS | SCORES).to_csv(path, index_label="spot_id", lineterminator="\n")
