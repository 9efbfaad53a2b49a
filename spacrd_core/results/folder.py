"""The results folder: the files of every section, the report and the manifest, written as one unit."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from spacrd_core.detector.files import is_detector
from spacrd_core.errors import InputError
from spacrd_core.files import files_below, sync
from spacrd_core.progress import Track, silent
from spacrd_core.results.files.formats import FORMATS, Format
from spacrd_core.results.files.manifest import listed_files, write_manifest
from spacrd_core.results.files.multiqc import MULTIQC_FILE, write_multiqc
from spacrd_core.results.report.pages import remove_stale_pages, require_pages_folder
from spacrd_core.results.report.report import Report

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from spacrd_core.results.report.section_view import SectionView
    from spacrd_core.results.result import Provenance, SectionResult


REPORT = "report.html"
MANIFEST = "manifest.json"
DEFAULT_FORMATS = tuple(form for form in FORMATS.values() if not form.on_request)
# of a section's summary
MANIFEST_KEYS = (
    *("threshold", "threshold_rule", "cancer", "normal", "uncertain"),
    *("agreement", "epithelium", "copy_number", "notes"),
)


def write_folder(
    folder: Path,
    results: Iterable[SectionResult],
    provenance: Provenance,
    *,
    reliability: Mapping[str, Mapping[str, Any]] | None = None,
    paged: bool = False,
    track: Track = silent,
) -> list[Path]:
    """Write the files of every section, the report and the manifest; return their paths.

    ``results`` is read one section at a time and may be a generator. See :func:`complete_folder`.
    """

    def write(report: Report) -> list[SectionView]:
        return [write_section(report, result) for result in track(results, "writing results")]

    return complete_folder(folder, write, provenance, reliability=reliability, paged=paged)


def complete_folder(
    folder: Path,
    write_sections: Callable[[Report], list[SectionView]],
    provenance: Provenance,
    *,
    reliability: Mapping[str, Mapping[str, Any]] | None = None,
    paged: bool = False,
) -> list[Path]:
    """Let the files of every section be written beside a temporary report, finish it and the manifest; return paths.

    For ``reliability`` and ``paged``, see :class:`Report`. Files of the same names are replaced. Files that an earlier
    run wrote for these sections and this run does not write are removed, and so are all pages of an earlier report. A
    folder with a manifest is complete: the old manifest is removed before the first file is replaced, the new one is
    written last.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=".spacrd-", dir=folder) as name:
        staged = Path(name)
        report = Report(file=staged / REPORT, provenance=provenance, reliability=reliability, paged=paged)
        views = write_sections(report)
        summaries = [view.summary for view in views]
        report.finish(views)
        write_multiqc(staged / MULTIQC_FILE, summaries, provenance)
        sections = {str(summary["section"]): {key: summary[key] for key in MANIFEST_KEYS} for summary in summaries}
        write_manifest(staged / MANIFEST, list(files_below(staged)), provenance, sections)
        return _move_into_place(staged, folder, sections=sections, paged=paged)


def require_results_folder(folder: Path) -> None:
    """Reject a path that is a file or a detector's folder.

    Raises
    ------
    InputError
        If it is one of them.
    """
    if folder.exists() and not folder.is_dir():
        raise InputError(f"results need a folder, but {folder} is a file", hint="name another folder")
    if is_detector(folder):
        raise InputError(f"{folder} holds a detector; results must not be mixed with it", hint="name another folder")
    require_pages_folder(folder / REPORT)


def write_section(report: Report, result: SectionResult) -> SectionView:
    """Write the files of a section beside the report, add it to the report, and return what that shows of it.

    The picture is written beside the other files: encoding one leaves the interpreter free.
    """
    forms = [form for form in DEFAULT_FORMATS if form.unsupported_reason(result) is None]
    _ = result.regions, result.points, result.angle  # computed here, because threads would compute them twice

    def write(form: Format) -> None:
        form.write(result, form.path(report.file.parent, result.section_id), report.provenance)

    with ThreadPoolExecutor() as pool:
        beside = [pool.submit(write, form) for form in forms if form.in_thread]
        for form in forms:
            if not form.in_thread:
                write(form)
        view = report.add(result)
        for written in beside:
            written.result()
    return view


def _move_into_place(staged: Path, folder: Path, *, sections: Collection[str], paged: bool) -> list[Path]:
    names = [file.relative_to(staged) for file in files_below(staged) if file != staged / MANIFEST]
    possible = {form.path(folder, section).name for form in DEFAULT_FORMATS for section in sections}
    stale = possible & listed_files(folder / MANIFEST) - {name.as_posix() for name in names}
    (folder / MANIFEST).unlink(missing_ok=True)
    for name in stale:
        (folder / name).unlink(missing_ok=True)
    for path in (*names, Path(MANIFEST)):
        sync(staged / path)
        (folder / path).parent.mkdir(exist_ok=True)
        (staged / path).replace(folder / path)
    remove_stale_pages(folder / REPORT, sections if paged else ())
    sync(folder)
    return [folder / path for path in (*names, MANIFEST)]
