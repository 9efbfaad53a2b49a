"""Write everything a user takes away from ``detect``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spacrd_core.detection.stored_calls import StoredCalls
from spacrd_core.detector.load import DETECTOR_KEY_ATTR, as_detector
from spacrd_core.errors import InputError
from spacrd_core.executors.run import raise_errors, run_in_order
from spacrd_core.executors.serial import Serial
from spacrd_core.outputs import require_room
from spacrd_core.progress import Track, silent
from spacrd_core.results.build import decision_of, incomplete_table, provenance
from spacrd_core.results.folder import complete_folder, finish_interrupted
from spacrd_core.results.ownership import require_replaceable, require_results_folder
from spacrd_core.results.report.pages import has_pages
from spacrd_core.results.section_task import WriteTask
from spacrd_core.store.remove import stored_counts_bytes

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from spacrd_core.detection.regions_rule import RegionsRule
    from spacrd_core.detector.config import DetectorConfig
    from spacrd_core.detector.detector import Detector
    from spacrd_core.executors.pool import Executor
    from spacrd_core.model.decision import Decision
    from spacrd_core.results.report.report import Report
    from spacrd_core.results.report.section_view import SectionView
    from spacrd_core.store.manifest import GroupRecord
    from spacrd_core.store.store import SpotStore


def write_results(
    store: SpotStore,
    detector: Detector | str | Path,
    tables: Mapping[str, pd.DataFrame],
    folder: str | Path,
    *,
    regions: RegionsRule | None = None,
    executor: Executor | None = None,
    track: Track = silent,
) -> list[Path]:
    """Write the files of every section, the report and the manifest into a folder; return their paths.

    >>> tables = detect(store, detector, sections=["S3"])
    >>> {"S3.geojson", "report.html"} <= {file.name for file in write_results(store, detector, tables, "results")}
    True

    The report of more than 12 sections is an index, with a page for each section in ``report_sections``.
    ``regions`` is ``auto`` (drawn unless a section's calls cannot be relied on), ``always`` or ``never`` (default:
    the rule given to ``detect``). A worker has one section's counts and H&E in memory at a time.

    Raises
    ------
    InputError
        If other files are in the folder's place or in that of a file, or a table is not one that this detector
        returned.
    """
    folder = Path(folder)
    require_results_folder(folder)
    detector = as_detector(detector, device="cpu", track=track)
    config = detector.config
    decisions = _decisions(config, tables)
    prepare_folder(folder, store, list(tables), detector=config.key)
    origin = provenance(config, decisions, detector.provenance, name=detector.name)

    def write(report: Report) -> list[SectionView]:
        facts: dict[str, Any] = {"detector": config, "regions": regions, "report": report}
        tasks = [WriteTask(store=store.path, section=name, spots=_spots(tables, name), **facts) for name in tables]
        outcomes = run_in_order(executor or Serial(), tasks, "writing results", device="cpu", track=track)
        raise_errors({task.section: outcome.error for task, outcome in zip(tasks, outcomes, strict=True)})
        return [outcome.result for outcome in outcomes if outcome.result]

    reliability = detector.metrics.get("reliability") or {}
    return complete_folder(folder, write, origin, reliability=reliability, paged=has_pages(len(tables)))


def _spots(tables: Mapping[str, pd.DataFrame], section: str) -> pd.DataFrame | GroupRecord:
    """Return the table of a section, or its record if a worker should read it from the store."""
    return tables.records[section] if isinstance(tables, StoredCalls) else tables[section]


def prepare_folder(folder: Path, store: SpotStore, sections: Sequence[str], *, detector: str) -> None:
    """Require that the results of a detector can be written to a folder: before the work, not after it.

    Raises
    ------
    InputError, OutputError
        If other files or results of another detector are in the way, or there is no right to write, or no room.
    """
    require_results_folder(folder)
    finish_interrupted(folder)
    require_replaceable(folder, sections, detector=detector)
    require_room(folder, sum(stored_counts_bytes(store, store.entry(section)) for section in sections))


def _decisions(detector: DetectorConfig, tables: Mapping[str, pd.DataFrame]) -> list[Decision]:
    """Return by which rule each section was called; reject tables that do not record it, or of another detector."""
    if not isinstance(tables, Mapping):
        raise InputError(
            "the tables must be a mapping from section to table",
            hint='write_results(store, detector, {"B4": table}, folder)',
        )
    decisions = []
    for section, table in tables.items():
        decisions.append(decision_of(section, table))
        if DETECTOR_KEY_ATTR not in table.attrs:
            raise incomplete_table(section)
        key = table.attrs[DETECTOR_KEY_ATTR]
        if key != detector.key:
            raise InputError(
                f"section '{section}' was called by detector {key}, not by {detector.key}",
                hint="pass the detector that made the calls",
            )
    return decisions
