"""What users take away of a detection."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from spacrd_core.progress import Track, silent
from spacrd_core.results.collect import how_called, provenance, section_result
from spacrd_core.results.write import write_results as write_files

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from spacrd_core.detector.artifact import Detector
    from spacrd_core.store.store import SpotStore


def write_results(
    store: SpotStore,
    detector: Detector,
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
        If the folder is a file.
    """
    results = (section_result(store, name, spots, detector.config) for name, spots in tables.items())
    called = [how_called(spots, detector.config) for spots in tables.values()]
    return write_files(
        Path(folder),
        results,
        provenance(detector.config, called, detector.origin),
        reliability=detector.metrics.get("reliability") or {},
        track=track,
    )
