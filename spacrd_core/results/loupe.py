"""Categories for 10x Loupe Browser ("Import categories")."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pandas as pd

from spacrd_core.results.result import CLASSES

if TYPE_CHECKING:
    from pathlib import Path

    from spacrd_core.results.result import SectionResult

BARCODE = re.compile(r"[ACGT]{16}-\d+")


def opens_in_loupe(result: SectionResult) -> bool:
    """Tell whether all spot ids are Visium barcodes: Loupe knows its spots by nothing else."""
    return len(result.spots) > 0 and all(BARCODE.fullmatch(spot) for spot in result.spots.index)


def write_loupe(result: SectionResult, path: Path) -> None:
    """Write barcode and call. Loupe's categories are words, so there is no probability."""
    names = result.spots["label"].map({label: kind.name for label, kind in CLASSES.items()})
    table = pd.DataFrame({"Barcode": result.spots.index, "SpaCRD": names.to_numpy()})
    table.to_csv(path, index=False, lineterminator="\n")
