"""The rows of the table of sections, in the report and in the index of a report of many sections."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from spacrd_core.results.report.pages import page_file

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from spacrd_core.results.report.histogram import Bar
    from spacrd_core.results.report.label_agreement import LabelAgreement
    from spacrd_core.results.report.section_view import SectionView


@dataclass(frozen=True)
class SectionRow:
    """One section in the table of sections.

    Attributes
    ----------
    href
        The address of its page, relative to the index, or its place in the report.
    summary
        Its numbers, as in :meth:`SectionResult.summary`.
    share
        Share of its spots that are called cancer; None without spots.
    histogram
        The bars of its probabilities.
    labels
        How its calls agree with the labels that it was ingested with; None without labels.
    agreement
        With the prior, the lowest of the modalities; None if the prior is not used beside a trained detector.
    cautions
        What to know before relying on its calls.
    thumbnail
        A small picture as a data URI; empty in a report of few sections.
    """

    href: str
    summary: dict[str, Any]
    share: float | None
    histogram: Sequence[Bar]
    labels: LabelAgreement | None
    agreement: float | None
    cautions: list[str]
    thumbnail: str


def section_row(view: SectionView, href: str) -> SectionRow:
    """Return the row of a section."""
    summary: dict[str, Any] = view.summary
    return SectionRow(
        href=href,
        summary=summary,
        share=summary["cancer"] / summary["spots"] if summary["spots"] else None,
        histogram=view.histogram,
        labels=view.agreement,
        agreement=min(summary["agreement"].values(), default=None),
        cautions=view.warnings,
        thumbnail=view.thumbnail,
    )


def page_address(report: Path, section: str) -> str:
    """Return the address of the page of a section, relative to the index of a report."""
    return quote(page_file(report, section).relative_to(report.parent).as_posix())
