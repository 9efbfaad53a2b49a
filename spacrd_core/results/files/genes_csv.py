"""The genes that drive a section's calls, as a plain table."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import pandas as pd

from spacrd_core.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

    from spacrd_core.results.result import SectionResult

DECIMALS = 6


def no_genes(result: SectionResult) -> InputError | None:
    """Return why a section has no such table: no spot was called cancer, or no gene was read."""
    if result.genes:
        return None
    return InputError(
        f"no gene drives the calls of section '{result.section_id}': no spot was called cancer, or no gene was read",
        hint="name other sections, or choose another format",
    )


def write_genes_csv(result: SectionResult, path: Path) -> None:
    """Write a row a gene: those that push towards cancer, the strongest first, then those that push towards normal.

    Raises
    ------
    InputError
        If no gene drives the section's calls.
    """
    if refusal := no_genes(result):
        raise refusal
    table = pd.DataFrame([asdict(driver) for driver in result.genes])
    table.round(DECIMALS).to_csv(path, index=False, lineterminator="\n")
