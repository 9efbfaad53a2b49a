"""Findings of a check, each with a verdict and a remedy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Self

from spacrd_cli.terminal.output import table

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.table import Table

    from spacrd_core.errors import SpacrdError

FINDING_COLUMNS = ("what", "verdict", "found", "what to do")


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


def findings_table(findings: Iterable[Finding]) -> Table:
    """Return the findings as a table."""
    return table(FINDING_COLUMNS, [(item.subject, item.verdict, item.found, item.remedy) for item in findings])
