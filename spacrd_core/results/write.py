"""Write everything a user takes away, as one unit: aside first, then into place."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from spacrd_core.detector.files import is_detector
from spacrd_core.errors import InputError
from spacrd_core.files import sync
from spacrd_core.progress import Track, silent
from spacrd_core.results.formats import FORMATS
from spacrd_core.results.manifest import files_of, write_manifest
from spacrd_core.results.multiqc import FILE as MULTIQC
from spacrd_core.results.multiqc import write_multiqc
from spacrd_core.results.report import write_report
from spacrd_core.results.section_view import SectionView, view_section

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from spacrd_core.results.result import Provenance, SectionResult

MANIFEST = "manifest.json"
FILES = tuple(form for form in FORMATS.values() if not form.asked)
CALLED = ("threshold", "threshold_rule", "cancer", "normal", "uncertain")


def write_results(
    folder: Path,
    results: Iterable[SectionResult],
    provenance: Provenance,
    *,
    reliability: Mapping[str, Mapping[str, Any]] | None = None,
    track: Track = silent,
) -> list[Path]:
    """Write the files of every section, the report and the manifest of all; return where they are.

    ``reliability`` is that of the detector on patients held out, for the report.
    ``results`` is read one section at a time and may be a generator. Files of the same names are replaced, and those
    that an earlier run wrote of these sections and this one does not are removed. A folder with a manifest is whole:
    the old one goes before the first file is replaced, the new one comes last.
    """
    require_results_folder(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=".spacrd-", dir=folder) as name:
        aside = Path(name)
        views = [_write_section(aside, result, provenance) for result in track(results, "writing results")]
        summaries = [view.summary for view in views]
        write_report(aside / "report.html", views, provenance, reliability=reliability)
        write_multiqc(aside / MULTIQC, summaries, provenance)
        called = {str(summary["section"]): {name: summary[name] for name in CALLED} for summary in summaries}
        write_manifest(aside / MANIFEST, list(aside.iterdir()), provenance, called)
        return _move_into_place(aside, folder, sections=called)


def require_results_folder(folder: Path) -> None:
    """Refuse a file, and a detector's folder, whose files are its own.

    Raises
    ------
    InputError
        If it is one of them.
    """
    if folder.exists() and not folder.is_dir():
        raise InputError(f"results go into a folder, but {folder} is a file", hint="name another folder")
    if is_detector(folder):
        raise InputError(f"{folder} holds a detector, which results would be mixed with", hint="name another folder")


def _write_section(folder: Path, result: SectionResult, provenance: Provenance) -> SectionView:
    for form in FILES:
        if form.refusal(result) is None:
            form.write(result, form.file(folder, result.section_id), provenance)
    return view_section(result)


def _move_into_place(aside: Path, folder: Path, *, sections: Iterable[str]) -> list[Path]:
    names = sorted(file.name for file in aside.iterdir())
    names.remove(MANIFEST)
    ours = {form.file(folder, section).name for form in FILES for section in sections}
    stale = ours & files_of(folder / MANIFEST) - {*names}
    (folder / MANIFEST).unlink(missing_ok=True)
    for name in stale:
        (folder / name).unlink(missing_ok=True)
    for name in (*names, MANIFEST):
        sync(aside / name)
        (aside / name).replace(folder / name)
    sync(folder)
    return [folder / name for name in (*names, MANIFEST)]
