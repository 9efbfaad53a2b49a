"""The genes that drive a section's calls, as a plain table."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from pathlib import Path

    from spacrd_core.results.result import SectionResult

DECIMALS = 6


def write_genes_csv(result: SectionResult, path: Path) -> None:
    """Write a row a gene: those that push towards cancer, the strongest first, then those that push towards normal."""
    table = pd.DataFrame([asdict(driver) for driver in result.genes])
    table.round(DECIMALS).to_csv(path, index=False, lineterminator="\n")
