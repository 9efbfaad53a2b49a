"""The report: one HTML file for few sections; for many, an index and a page for each section."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from spacrd_core.results.colours import palette_steps
from spacrd_core.results.report.histogram import HEIGHT, WIDTH
from spacrd_core.results.report.label_agreement import cohort_agreement
from spacrd_core.results.report.links import file_links
from spacrd_core.results.report.page import write_page
from spacrd_core.results.report.pages import page_file
from spacrd_core.results.report.reliability_view import (
    DIAGRAM_SIZE,
    build_reliability_views,
    platforms_without_held_out,
)
from spacrd_core.results.report.rows import page_address, section_row
from spacrd_core.results.report.section_view import add_thumbnail, build_section_view
from spacrd_core.results.result import LABEL_NAMES, MODALITY_NAMES
from spacrd_core.results.warnings import CALLED_FROM

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path

    from spacrd_core.results.report.rows import SectionRow
    from spacrd_core.results.report.section_view import SectionView
    from spacrd_core.results.result import Provenance, SectionResult

STYLES = ("page.css", "table.css", "stage.css", "panel.css", "print.css")
SCRIPTS = ("spots.js", "draw.js", "legend.js", "camera.js", "paper.js", "report.js", "table.js")
INDEX_STYLES = ("page.css", "table.css", "print.css", "index.css")
INDEX_SCRIPTS = ("table.js",)


@dataclass(frozen=True, kw_only=True)
class Report:
    """A report that is written section by section, in any process.

    Attributes
    ----------
    file
        The report, or with pages its index.
    paged
        Whether every section has a page of its own.
    reliability
        The detector's reliability on held-out patients by platform, as in its ``metrics.json``; it is empty if no
        patient was held out, and None leaves the chapter out.
    """

    file: Path
    provenance: Provenance
    reliability: Mapping[str, Mapping[str, Any]] | None = None
    paged: bool = False

    def add(self, result: SectionResult, files: Collection[str] = ()) -> SectionView:
        """Write the page of a section, if it has one, and return what :meth:`finish` needs, which is then small.

        ``files`` are the names of files beside the report; it links to those of the section.
        """
        view = build_section_view(result, file_links(result.section_id, files, up=self.paged))
        if not self.paged:
            return view
        page = page_file(self.file, result.section_id)
        write_report(page, [view], self.provenance, reliability=self.reliability, index=f"../{quote(self.file.name)}")
        return add_thumbnail(view.without_stage(), result)

    def finish(self, sections: Sequence[SectionView]) -> list[Path]:
        """Write the report or its index and return all files, the first of which is the one to open."""
        if not self.paged:
            write_report(self.file, sections, self.provenance, reliability=self.reliability)
            return [self.file]
        write_page(
            self.file,
            "index.html.j2",
            styles=INDEX_STYLES,
            scripts=INDEX_SCRIPTS,
            **_shared_values(
                sections,
                [section_row(view, page_address(self.file, str(view.summary["section"]))) for view in sections],
                self.provenance,
                self.reliability,
            ),
        )
        return [self.file, *(page_file(self.file, str(section.summary["section"])) for section in sections)]


def write_report(
    path: Path,
    sections: Sequence[SectionView],
    provenance: Provenance,
    *,
    reliability: Mapping[str, Mapping[str, Any]] | None = None,
    index: str = "",
) -> None:
    """Write the table of sections, the picture and calls of every section, and their provenance into one file.

    ``index`` is the address of the index that the file is a page of; for ``reliability``, see :class:`Report`.
    """
    rows = [section_row(view, f"#section-{number}") for number, view in enumerate(sections, start=1)]
    write_page(
        path,
        "report.html.j2",
        styles=STYLES,
        scripts=SCRIPTS,
        index=index,
        modalities=MODALITY_NAMES,
        labels=list(LABEL_NAMES.values()),
        palette=palette_steps(),
        **_shared_values(sections, rows, provenance, reliability),
    )


def _shared_values(
    sections: Sequence[SectionView],
    rows: Sequence[SectionRow],
    provenance: Provenance,
    reliability: Mapping[str, Mapping[str, Any]] | None,
) -> dict[str, Any]:
    """Return what the templates of the report and of its index show."""
    views = build_reliability_views(reliability or {})
    platforms = (str(section.summary["platform"]) for section in sections)
    return {
        "sections": sections,
        "rows": rows,
        "curves": [section.curves for section in sections],
        "histogram_size": (WIDTH, HEIGHT),
        "label_agreement": cohort_agreement((section.summary, section.agreement) for section in sections),
        "provenance": provenance,
        "reliability": None if reliability is None else views,
        "without_held_out": platforms_without_held_out(platforms, views),
        "side": DIAGRAM_SIZE,
        **_notices(sections),
    }


def _notices(sections: Sequence[SectionView]) -> dict[str, Any]:
    """Return the sections of each notice at the top."""
    summaries = [section.summary for section in sections]
    one_modality: dict[str, list[str]] = {}
    for section in sections:
        for note in section.warnings:
            if note.startswith(CALLED_FROM):
                one_modality.setdefault(note, []).append(str(section.summary["section"]))
    return {
        "one_modality": one_modality,
        "out_of_distribution": [str(summary["section"]) for summary in summaries if summary["unlike_training"]],
        "untrusted": [
            f"{summary['section']} ({summary['no_regions_reason']})"
            for summary in summaries
            if summary["no_regions_reason"] and not summary["unlike_training"]
        ],
    }
