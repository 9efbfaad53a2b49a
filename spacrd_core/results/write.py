"""Write everything a user takes away from ``detect``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from spacrd_core.detector.load import DETECTOR_KEY_ATTR, as_detector
from spacrd_core.errors import InputError
from spacrd_core.progress import Track, silent
from spacrd_core.results.build import decision_of, incomplete_table, provenance, section_result
from spacrd_core.results.folder import require_results_folder, write_folder

if TYPE_CHECKING:
    import pandas as pd

    from spacrd_core.detector.config import DetectorConfig
    from spacrd_core.detector.detector import Detector
    from spacrd_core.results.result import RegionsRule
    from spacrd_core.store.store import SpotStore


def write_results(
    store: SpotStore,
    detector: Detector | str | Path,
    tables: Mapping[str, pd.DataFrame],
    folder: str | Path,
    *,
    regions: RegionsRule = "auto",
    track: Track = silent,
) -> list[Path]:
    """Write the files of every section, the report and the manifest into a folder; return their paths.

    >>> tables = detect(store, detector, sections=["S3"])
    >>> {"S3.geojson", "report.html"} <= {file.name for file in write_results(store, detector, tables, "results")}
    True

    ``regions`` is ``auto`` (drawn unless a section's calls cannot be relied on), ``always`` or ``never``. Sections are
    processed one at a time, so only one section's counts and H&E are in memory.

    Raises
    ------
    InputError
        If the folder is a file or a detector's folder, or if a table is not one that this detector returned.
    """
    folder = Path(folder)
    require_results_folder(folder)
    detector = as_detector(detector, device="cpu", track=track)
    _require_tables_of(detector.config, tables)
    results = (section_result(store, section, spots, detector.config, regions) for section, spots in tables.items())
    decisions = [decision_of(section, spots) for section, spots in tables.items()]
    return write_folder(
        folder,
        results,
        provenance(detector.config, decisions, detector.provenance),
        reliability=detector.metrics.get("reliability") or {},
        track=track,
    )


def _require_tables_of(detector: DetectorConfig, tables: Mapping[str, pd.DataFrame]) -> None:
    """Reject tables that do not record their detector, or that another detector made."""
    if not isinstance(tables, Mapping):
        raise InputError(
            "the tables must be a mapping from section to table",
            hint='write_results(store, detector, {"B4": table}, folder)',
        )
    for section, table in tables.items():
        if DETECTOR_KEY_ATTR not in table.attrs:
            raise incomplete_table(section)
        if table.attrs[DETECTOR_KEY_ATTR] != detector.key:
            raise InputError(
                f"section '{section}' was called by detector {table.attrs[DETECTOR_KEY_ATTR]}, not by {detector.key}",
                hint="pass the detector that made the calls",
            )
