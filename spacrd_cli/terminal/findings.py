"""Findings of a check, each with a verdict and a remedy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Self

from spacrd_cli.terminal.tables import Column, FittedTable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from spacrd_core.errors import SpacrdError

FINDING_COLUMNS = ("what", "verdict", Column("found", prose=True), Column("what to do", prose=True))


@dataclass(frozen=True)
class Finding:
    """One checked subject: what was found, PASS, WARN or FAIL, and the remedy."""

    subject: str
    found: str
    verdict: Literal["PASS", "WARN", "FAIL"] = "PASS"
    remedy: str = ""

    @classmethod
    def failed(cls, subject: str, error: SpacrdError) -> Self:
        """Return the finding for an error."""
        return cls(subject, str(error), "FAIL", error.hint)


def findings_table(findings: Iterable[Finding]) -> FittedTable:
    """Return the findings as a table."""
    return FittedTable(FINDING_COLUMNS, [(item.subject, item.verdict, item.found, item.remedy) for item in findings])
