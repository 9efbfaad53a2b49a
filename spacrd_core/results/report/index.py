"""The rows of the index, the first page of a report of many sections."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from spacrd_core.results.report.pages import page_file

if TYPE_CHECKING:
    from pathlib import Path

    from spacrd_core.results.report.section_view import SectionView


@dataclass(frozen=True)
class IndexRow:
    """One section in the index.

    Attributes
    ----------
    href
        The address of its page, relative to the index.
    summary
        Its row in the table of sections.
    share
        Share of its spots that are called cancer; None without spots.
    agreement
        With the prior, the lowest of the modalities; None if the prior is not used beside a trained detector.
    cautions
        What to know before relying on its calls.
    thumbnail
        A small picture as a data URI.
    """

    href: str
    summary: dict[str, Any]
    share: float | None
    agreement: float | None
    cautions: list[str]
    thumbnail: str


def index_row(view: SectionView, report: Path) -> IndexRow:
    """Return the row of a section in the index of a report."""
    summary: dict[str, Any] = view.summary
    page = page_file(report, summary["section"]).relative_to(report.parent)
    return IndexRow(
        href=quote(page.as_posix()),
        summary=summary,
        share=summary["cancer"] / summary["spots"] if summary["spots"] else None,
        agreement=min(summary["agreement"].values(), default=None),
        cautions=view.warnings,
        thumbnail=view.thumbnail,
    )
