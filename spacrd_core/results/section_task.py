"""Write the files of one section: a task of any executor."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from spacrd_core.detector.predictions import read_predictions
from spacrd_core.devices import one_thread
from spacrd_core.executors.working_folder import WorkingFolder
from spacrd_core.results.build import decision_of, provenance, section_result
from spacrd_core.results.files.formats import find_format
from spacrd_core.results.folder import write_section
from spacrd_core.store.manifest import GroupRecord
from spacrd_core.store.store import SpotStore
from spacrd_core.system_errors import explained

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from spacrd_core.detection.regions_rule import RegionsRule
    from spacrd_core.detector.config import DetectorConfig
    from spacrd_core.errors import InputError
    from spacrd_core.executors.task import Worker
    from spacrd_core.results.report.report import Report
    from spacrd_core.results.report.section_view import SectionView
    from spacrd_core.results.result import SectionResult


@dataclass(frozen=True, kw_only=True)
class WriteTask:
    """The calls of a section, or their record in the store, and the report, beside which all files are collected."""

    store: Path
    section: str
    spots: pd.DataFrame | GroupRecord
    detector: DetectorConfig
    regions: RegionsRule | None
    report: Report
    folder: WorkingFolder = field(default_factory=WorkingFolder)

    def run(self, worker: Worker) -> SectionView:  # noqa: ARG002 - it needs no device
        """Write the files and return what the report shows."""
        store = SpotStore(self.folder.find(self.store))
        spots = store.read_predictions(self.spots)[0] if isinstance(self.spots, GroupRecord) else self.spots
        # the temporary folder is in the results folder
        with one_thread(), explained(self.report.file.parent.parent):
            result = section_result(store, self.section, spots, self.detector, self.regions)
            return write_section(replace(self.report, file=self.folder.find(self.report.file)), result)


@dataclass(frozen=True, kw_only=True)
class ExportTask:
    """The calls of a section by a detector, and the format and the folder of its file.

    It is written to the temporary folder ``aside`` in ``output``.
    """

    store: Path
    section: str
    detector: str
    format: str
    suffix: str
    output: Path
    aside: str
    created: str
    folder: WorkingFolder = field(default_factory=WorkingFolder)

    def run(self, worker: Worker) -> Path | InputError:  # noqa: ARG002 - it needs no device
        """Write the file and return its path, or why the section has no file of this format."""
        store, form = SpotStore(self.folder.find(self.store)), find_format(self.format).with_suffix(self.suffix)
        with one_thread():
            spots, detector, result = stored_result(store, self.section, self.detector)
            if reason := form.unsupported_reason(result):
                return reason
            origin = provenance(detector, [decision_of(self.section, spots)], created=self.created)
            with explained(form.path(self.output, self.section)):
                form.write(result, form.path(self.folder.find(self.output) / self.aside, self.section), origin)
        return form.path(self.output, self.section)


def stored_result(store: SpotStore, section: str, key: str) -> tuple[pd.DataFrame, DetectorConfig, SectionResult]:
    """Return the calls of a section by a detector as its spot table, the detector, and as writers take them."""
    spots, detector = read_predictions(store, section, key)
    return spots, detector, section_result(store, section, spots, detector)
