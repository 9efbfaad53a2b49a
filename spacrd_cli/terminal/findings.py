"""What a check found: whether it is fine, and what to do where it is not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Self

from spacrd_cli.terminal.output import table

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.table import Table

    from spacrd_core.errors import SpacrdError

COLUMNS = ("what", "verdict", "found", "what to do")


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: what was found, PASS, WARN or FAIL, and the remedy."""

    subject: str
    found: str
    verdict: Literal["PASS", "WARN", "FAIL"] = "PASS"
    remedy: str = ""

    @classmethod
    def failed(cls, subject: str, error: SpacrdError) -> Self:
        """Return what an error says, as a finding."""
        return cls(subject, str(error), "FAIL", error.hint)


def drawn(findings: Iterable[Finding]) -> Table:
    """Return the findings as a table."""
    return table(COLUMNS, [(item.subject, item.verdict, item.found, item.remedy) for item in findings])
