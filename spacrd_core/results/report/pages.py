"""The pages of a report of many sections: one for each section, in a folder beside the report."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from spacrd_core.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

MAX_SECTIONS_IN_ONE_FILE = 12  # 16 MB of Visium sections; a browser opens more, but nobody scrolls through them
MARK = b'<meta name="generator" content="SpaCRD">'  # among the first bytes of every page
MARK_WITHIN = 300


def has_pages(sections: int) -> bool:
    """Return whether a report of this number of sections is an index and a page for each section."""
    return sections > MAX_SECTIONS_IN_ONE_FILE


def pages_folder(report: Path) -> Path:
    """Return the folder of the pages: ``report_sections`` beside ``report.html``."""
    return report.with_name(f"{report.stem}_sections")


def page_file(report: Path, section: str) -> Path:
    """Return the page of a section; a section id may contain dots."""
    return pages_folder(report) / f"{section}.html"


def require_pages_folder(report: Path) -> None:
    """Raise an InputError if a file is in the place of the folder of a report's pages."""
    folder = pages_folder(report)
    if folder.exists() and not folder.is_dir():
        raise InputError(f"pages of sections need a folder, but {folder} is a file", hint="move it, or name another -o")


def remove_stale_pages(report: Path, keep: Collection[str] = ()) -> None:
    """Remove the pages of an earlier report but those of the sections in ``keep``; other files stay."""
    kept = {page_file(report, section) for section in keep}
    for page in pages_folder(report).glob("*.html"):
        if page not in kept and _is_page(page):
            page.unlink()
    with suppress(OSError):  # it does not exist, or holds other files
        pages_folder(report).rmdir()


def _is_page(file: Path) -> bool:
    with file.open("rb") as stream:
        return MARK in stream.read(MARK_WITHIN)
