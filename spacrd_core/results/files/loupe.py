"""Categories for 10x Loupe Browser ("Import categories")."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pandas as pd

from spacrd_core.errors import InputError
from spacrd_core.results.result import LABEL_NAMES

if TYPE_CHECKING:
    from pathlib import Path

    from spacrd_core.results.result import SectionResult

BARCODE = re.compile(r"[ACGT]{16}-\d+")


def loupe_unsupported(result: SectionResult) -> InputError | None:
    """Return why Loupe cannot show a section; None if it can. Loupe identifies spots by Visium barcodes only."""
    if len(result.spots) and all(BARCODE.fullmatch(spot) for spot in result.spots.index):
        return None
    return InputError(
        f"the spots of section '{result.section_id}' have no Visium barcodes, which Loupe Browser needs",
        hint="choose Visium sections or another format",
    )


def write_loupe(result: SectionResult, path: Path) -> None:
    """Write barcode and label. Loupe categories are text, so the probability is not included.

    Raises
    ------
    InputError
        If a spot id is not a Visium barcode.
    """
    if error := loupe_unsupported(result):
        raise error
    names = result.spots["label"].map(LABEL_NAMES)
    table = pd.DataFrame({"Barcode": result.spots.index, "SpaCRD": names.to_numpy()})
    table.to_csv(path, index=False, lineterminator="\n")
