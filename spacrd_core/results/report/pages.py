"""The pages of a report of many sections: one for each section, in a folder beside the report."""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from spacrd_core.errors import InputError
from spacrd_core.outputs import has_signature, require_outside, require_room
from spacrd_core.replacement import move_into_place, real
from spacrd_core.results.files.manifest import MANIFEST, replacing_files
from spacrd_core.staging import staging
from spacrd_core.system_errors import explained

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from pathlib import Path

MAX_SECTIONS_IN_ONE_FILE = 12  # 16 MB of Visium sections; a browser opens more, but nobody scrolls through them
MARK = b'<meta name="generator" content="SpaCRD">'  # among the first bytes of every page
TITLE = b"<title>SpaCRD report"


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
    """Raise an InputError if a file or a link is in the place of the folder of a report's pages."""
    folder = pages_folder(report)
    if os.path.lexists(folder) and (folder.is_symlink() or not folder.is_dir()):
        kind = "a link" if folder.is_symlink() else "a file"
        raise InputError(
            f"pages of sections need a folder, but {folder} is {kind}", hint="move it, or choose another path with -o"
        )


def is_report(file: Path) -> bool:
    """Return whether a file is a report, an index or a page."""
    return has_signature(file, TITLE)


def require_report_file(file: Path) -> None:
    """Require that a report can be written: to a new file, or in the place of a report.

    Raises
    ------
    InputError, OutputError
        If it cannot.
    """
    if file.is_dir():
        raise InputError(f"the report must be a file, but {file} is a folder", hint=f"-o {file / 'report.html'}")
    if file.parent.exists() and not file.parent.is_dir():
        raise InputError(f"the report must be in a folder, but {file.parent} is a file", hint="name another folder")
    if file.exists() and not is_report(file):
        raise InputError(f"{file} is not a report, and is not replaced", hint="name another file")
    require_outside(file)
    require_pages_folder(file)
    require_room(file.parent)


@contextmanager
def replacing_report(file: Path) -> Iterator[Path]:
    """Yield a temporary file for a report, beside which its pages are written; they replace earlier ones at the end."""
    report = real(file)
    require_pages_folder(report)
    with explained(file):
        report.parent.mkdir(parents=True, exist_ok=True)
        with staging(report.parent) as aside:
            staged = aside / report.name
            yield staged
            pages = sorted(pages_folder(staged).glob("*.html"))
            _require_pages([pages_folder(report) / page.name for page in pages])
            stale = pages_folder(report).glob("*.html")
            names = [f"{pages_folder(report).name}/{page.name}" for page in (*pages, *stale)]
            with replacing_files(report.with_name(MANIFEST), {report.name, *names}):
                for page in pages:
                    pages_folder(report).mkdir(exist_ok=True)
                    move_into_place(page, pages_folder(report) / page.name)
                move_into_place(staged, report)
                remove_stale_pages(report, [page.stem for page in pages])


def _require_pages(files: Iterable[Path]) -> None:
    for file in files:
        if file.exists() and not is_report(file):
            raise InputError(f"{file} is not a page of a report, and is not replaced", hint="name another file")


def remove_stale_pages(report: Path, keep: Collection[str] = ()) -> None:
    """Remove the pages of an earlier report but those of the sections in ``keep``; other files and links stay."""
    if pages_folder(report).is_symlink():
        return
    kept = {page_file(report, section) for section in keep}
    for page in pages_folder(report).glob("*.html"):
        if page not in kept and has_signature(page, MARK):
            page.unlink()
    with suppress(OSError):  # it does not exist, or holds other files
        pages_folder(report).rmdir()
