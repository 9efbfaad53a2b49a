"""The report: one HTML file for few sections; for many, an index and a page for each section."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from matplotlib import colormaps
from matplotlib.colors import to_hex

from spacrd_core.results.report.index import index_row
from spacrd_core.results.report.page import write_page
from spacrd_core.results.report.pages import page_file
from spacrd_core.results.report.reliability_view import (
    DIAGRAM_SIZE,
    build_reliability_views,
    platforms_without_held_out,
)
from spacrd_core.results.report.section_view import add_thumbnail, build_section_view
from spacrd_core.results.report.viewport import PALETTE
from spacrd_core.results.result import LABEL_NAMES, MODALITY_NAMES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from spacrd_core.results.report.section_view import SectionView
    from spacrd_core.results.result import Provenance, SectionResult

PALETTE_STEPS = 64
STYLES = ("page.css", "stage.css", "print.css")
SCRIPTS = ("spots.js", "draw.js", "camera.js", "report.js")
INDEX_STYLES = ("page.css", "index.css", "print.css")
INDEX_SCRIPTS = ("index.js",)


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

    def add(self, result: SectionResult) -> SectionView:
        """Write the page of a section, if it has one, and return what :meth:`finish` needs, which is then small."""
        view = build_section_view(result)
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
            rows=[index_row(section, self.file) for section in sections],
            **_shared_values(sections, self.provenance, self.reliability),
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
    write_page(
        path,
        "report.html.j2",
        styles=STYLES,
        scripts=SCRIPTS,
        index=index,
        modalities=MODALITY_NAMES,
        labels=list(LABEL_NAMES.values()),
        palette=[to_hex(colour) for colour in colormaps[PALETTE].resampled(PALETTE_STEPS)(range(PALETTE_STEPS))],
        **_shared_values(sections, provenance, reliability),
    )


def _shared_values(
    sections: Sequence[SectionView], provenance: Provenance, reliability: Mapping[str, Mapping[str, Any]] | None
) -> dict[str, Any]:
    """Return what the templates of the report and of its index show."""
    views = build_reliability_views(reliability or {})
    platforms = (str(section.summary["platform"]) for section in sections)
    return {
        "sections": sections,
        "provenance": provenance,
        "reliability": None if reliability is None else views,
        "without_held_out": platforms_without_held_out(platforms, views),
        "side": DIAGRAM_SIZE,
        "out_of_distribution": [
            section.summary["section"] for section in sections if section.summary["unlike_training"]
        ],
        "untrusted": [
            f"{section.summary['section']} ({section.summary['no_regions_reason']})"
            for section in sections
            if section.summary["no_regions_reason"] and not section.summary["unlike_training"]
        ],
    }
