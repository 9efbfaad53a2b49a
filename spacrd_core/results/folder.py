"""The results folder: the files of every section, the report and the manifest, written as one unit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spacrd_core.files import files_below, sync
from spacrd_core.progress import Track, silent
from spacrd_core.replacement import locked
from spacrd_core.results.files.formats import ALL_FORMATS, DEFAULT_FORMATS, Format
from spacrd_core.results.files.manifest import MANIFEST, read_manifest, write_manifest
from spacrd_core.results.files.multiqc import MULTIQC_FILE, write_multiqc
from spacrd_core.results.ownership import REPORT, require_own
from spacrd_core.results.report.pages import pages_folder, remove_stale_pages
from spacrd_core.results.report.report import Report
from spacrd_core.staging import LOCK, abandoned, staging
from spacrd_core.system_errors import explained
from spacrd_core.threads import beside

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from spacrd_core.results.report.section_view import SectionView
    from spacrd_core.results.result import Provenance, SectionResult


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

    For ``reliability`` and ``paged``, see :class:`Report`. Files of the same names are replaced. All other files of
    earlier calls of these sections are removed, and so are all pages of an earlier report. A folder with a manifest is
    complete: the old manifest is removed before the first file is replaced, the new one is written last. If the process
    is killed in between, the next run moves the remaining files (:func:`finish_interrupted`).
    """
    with explained(folder):
        folder.mkdir(parents=True, exist_ok=True)
        finish_interrupted(folder)
        with staging(folder) as aside:
            report = Report(file=aside / REPORT, provenance=provenance, reliability=reliability, paged=paged)
            views = write_sections(report)
            summaries = [view.summary for view in views]
            report.finish(views)
            write_multiqc(aside / MULTIQC_FILE, summaries, provenance)
            sections = {str(summary["section"]): {key: summary[key] for key in MANIFEST_KEYS} for summary in summaries}
            files = [file for file in files_below(aside) if file.name != LOCK]
            for file in files:
                sync(file)
            write_manifest(aside / MANIFEST, files, provenance, sections)
            with locked(folder / MANIFEST):  # two commands that end together would mix their files
                _finish_interrupted(folder)  # another one, which was killed meanwhile
                require_own(folder, sections, names={file.name for file in files})
                return _move_into_place(aside, folder)


def finish_interrupted(folder: Path) -> None:
    """Move the files of results that were complete when their process was killed into place."""
    if [aside for aside in abandoned(folder) if read_manifest(aside / MANIFEST)]:
        with locked(folder / MANIFEST):
            _finish_interrupted(folder)


def _finish_interrupted(folder: Path) -> None:
    for aside in abandoned(folder):
        if read_manifest(aside / MANIFEST):
            _move_into_place(aside, folder)


def write_section(report: Report, result: SectionResult) -> SectionView:
    """Write the files of a section beside the report, add it to the report, and return what that shows of it.

    The picture is written beside the other files if there is a thread for it: encoding leaves the interpreter free.
    """
    forms = [form for form in DEFAULT_FORMATS if form.unsupported_reason(result) is None]
    # computed here, because threads would compute them twice
    _ = result.margins.band, result.points, result.angle, result.tissue_mm2

    def write(form: Format) -> None:
        form.write(result, form.path(report.file.parent, result.section_id), report.provenance)

    with beside(write, [form for form in forms if form.in_thread]):
        for form in forms:
            if not form.in_thread:
                write(form)
        return report.add(result, {form.path(report.file, result.section_id).name for form in forms})


def _move_into_place(aside: Path, folder: Path) -> list[Path]:
    """Move the files that the manifest in a temporary folder lists, or those of them that have not been moved."""
    manifest = read_manifest(aside / MANIFEST) or {}
    sections, names = manifest["sections"], [record["name"] for record in manifest["files"]]
    (folder / MANIFEST).unlink(missing_ok=True)
    for name in names:
        (folder / name).parent.mkdir(exist_ok=True)
        if (aside / name).exists():
            (aside / name).replace(folder / name)
    for section in sections:
        _remove_stale(section, folder, aside, kept=names)
    paged = any((folder / name).parent == pages_folder(folder / REPORT) for name in names)
    remove_stale_pages(folder / REPORT, sections if paged else ())
    for place in {(folder / name).parent for name in names}:
        sync(place)
    sync(aside / MANIFEST)
    (aside / MANIFEST).replace(folder / MANIFEST)
    sync(folder)
    return [folder / name for name in (*names, MANIFEST)]


def _remove_stale(section: str, folder: Path, aside: Path, *, kept: list[str]) -> None:
    """Move the files of earlier calls of a section into the temporary folder, which will be removed."""
    for form in ALL_FORMATS:
        path = form.path(folder, section)
        if path.name not in kept and form.is_ours(path):
            path.rename(aside / f"stale-{path.name}")
