"""The genes that drive a section's calls, as a plain table."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import pandas as pd

from spacrd_core.errors import InputError
from spacrd_core.results.files.csv_text import as_texts

if TYPE_CHECKING:
    from pathlib import Path

    from spacrd_core.results.result import SectionResult

DECIMALS = 6


def genes_unsupported(result: SectionResult) -> InputError | None:
    """Return why a section has no gene table; None if it has one."""
    if result.genes:
        return None
    return InputError(
        f"section '{result.section_id}' has no driving genes: no spot was called cancer, or genes were not used",
        hint="choose other sections or another format",
    )


def write_genes_csv(result: SectionResult, path: Path) -> None:
    """Write one row per gene: genes that push towards cancer, the strongest first, then genes that push towards normal.

    Raises
    ------
    InputError
        If the section has no driving genes.
    """
    if error := genes_unsupported(result):
        raise error
    table = pd.DataFrame([asdict(driver) for driver in result.genes])
    table["gene"] = as_texts(table["gene"])
    table.round(DECIMALS).to_csv(path, index=False, lineterminator="\n")
