"""What users take away of a detection."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from spacrd_core.errors import InputError
from spacrd_core.learning.called import Called
from spacrd_core.progress import Track, silent
from spacrd_core.results.collect import how_called, provenance, section_result
from spacrd_core.results.write import require_results_folder
from spacrd_core.results.write import write_results as write_files
from spacrd_core.steps.detect import DETECTOR, as_detector

if TYPE_CHECKING:
    import pandas as pd

    from spacrd_core.detector.artifact import Detector
    from spacrd_core.detector.config import DetectorConfig
    from spacrd_core.store.store import SpotStore


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
