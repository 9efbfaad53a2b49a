"""Categories for 10x Loupe Browser ("Import categories")."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pandas as pd

from spacrd_core.errors import InputError
from spacrd_core.results.result import CLASSES

if TYPE_CHECKING:
    from pathlib import Path

    from spacrd_core.results.result import SectionResult

BARCODE = re.compile(r"[ACGT]{16}-\d+")


def no_loupe(result: SectionResult) -> InputError | None:
    """Return why Loupe cannot show a section: it knows its spots by Visium barcodes and nothing else."""
    if len(result.spots) and all(BARCODE.fullmatch(spot) for spot in result.spots.index):
        return None
    return InputError(
        f"the spots of section '{result.section_id}' have no Visium barcodes, which Loupe Browser knows spots by",
        hint="name Visium sections, or choose another format",
    )


def write_loupe(result: SectionResult, path: Path) -> None:
    """Write barcode and call. Loupe's categories are words, so there is no probability.

    Raises
    ------
    InputError
        If not all spot ids are Visium barcodes.
    """
    if refusal := no_loupe(result):
        raise refusal
    names = result.spots["label"].map({label: kind.name for label, kind in CLASSES.items()})
    table = pd.DataFrame({"Barcode": result.spots.index, "SpaCRD": names.to_numpy()})
    table.to_csv(path, index=False, lineterminator="\n")
