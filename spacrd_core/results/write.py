"""Write everything a user takes away, as one unit: aside first, then into place."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from spacrd_core.detector.files import is_detector
from spacrd_core.detector.load import DETECTOR, as_detector
from spacrd_core.errors import InputError
from spacrd_core.files import sync
from spacrd_core.model.decision import Called
from spacrd_core.progress import Track, silent
from spacrd_core.results.build import how_called, provenance, section_result
from spacrd_core.results.files.formats import FORMATS
from spacrd_core.results.files.manifest import files_of, write_manifest
from spacrd_core.results.files.multiqc import FILE as MULTIQC
from spacrd_core.results.files.multiqc import write_multiqc
from spacrd_core.results.report.report import write_report
from spacrd_core.results.report.section_view import SectionView, view_section

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

    from spacrd_core.detector.config import DetectorConfig
    from spacrd_core.detector.detector import Detector
    from spacrd_core.results.result import Provenance, SectionResult
    from spacrd_core.store.store import SpotStore


MANIFEST = "manifest.json"
FILES = tuple(form for form in FORMATS.values() if not form.asked)
CALLED = ("threshold", "threshold_rule", "cancer", "normal", "uncertain")


def write_files(
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


def write_results(
    store: SpotStore,
    detector: Detector | str | Path,
    tables: Mapping[str, pd.DataFrame],
    folder: str | Path,
    *,
    track: Track = silent,
) -> list[Path]:
    """Write every section's files, the report and the manifest into a folder; return where they are.

    >>> tables = detect(store, detector, sections=["S3"])
    >>> {"S3.geojson", "report.html"} <= {file.name for file in write_results(store, detector, tables, "results")}
    True

    Sections are collected one at a time, so that their counts and pictures are not in memory together.

    Raises
    ------
    InputError
        If the folder is a file or a detector's, or a table is none that this detector gave.
    """
    folder = Path(folder)
    require_results_folder(folder)
    detector = as_detector(detector, device="cpu", track=track)
    _require_own_tables(tables, detector.config)
    results = (section_result(store, name, spots, detector.config) for name, spots in tables.items())
    called = [how_called(spots, detector.config) for spots in tables.values()]
    return write_files(
        folder,
        results,
        provenance(detector.config, called, detector.origin),
        reliability=detector.metrics.get("reliability") or {},
        track=track,
    )


def _require_own_tables(tables: Mapping[str, pd.DataFrame], detector: DetectorConfig) -> None:
    """Refuse tables that do not say how they were called, or by another detector: what is written would say it wrongly.

    pandas forgets it when a table is joined or read from a file.
    """
    if not isinstance(tables, Mapping):
        raise InputError("tables go by section", hint='write_results(store, detector, {"B4": table}, folder)')
    for section, table in tables.items():
        if Called.of(table) is None or DETECTOR not in table.attrs:
            raise InputError(
                f"the table of section '{section}' has lost by which detector and threshold it was called",
                hint=f"pass it as detect gave it, or as store.predictions('{section}') does",
            )
        if table.attrs[DETECTOR] != detector.key:
            raise InputError(
                f"section '{section}' was called by detector {table.attrs[DETECTOR]}, not by {detector.key}",
                hint="pass the detector that made the calls",
            )
