"""Call one section and store its spot table: a task of any executor."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from spacrd_core.cohort.section_data import load_sections
from spacrd_core.detection.call import call_section
from spacrd_core.detection.regions_rule import attach_regions_rule
from spacrd_core.detector.load import DETECTOR_KEY_ATTR
from spacrd_core.devices import one_thread
from spacrd_core.errors import DetectorError
from spacrd_core.executors.working_folder import WorkingFolder
from spacrd_core.store.content import attach_content
from spacrd_core.store.store import SpotStore

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from spacrd_core.detection.bands import Bands
    from spacrd_core.detection.regions_rule import RegionsRule
    from spacrd_core.detector.config import DetectorConfig
    from spacrd_core.detector.detector import Detector
    from spacrd_core.executors.local import Local
    from spacrd_core.executors.task import Worker
    from spacrd_core.model.decision import DecisionRule
    from spacrd_core.store.manifest import GroupRecord, SectionEntry


@dataclass(frozen=True, kw_only=True)
class CallTask:
    """All that a process needs to call one section of a store."""

    store: Path
    entry: SectionEntry
    detector: Local[Detector]
    rule: DecisionRule
    bands: Bands
    regions: RegionsRule
    batch_size: int
    stain_key: str
    in_memory: bool = True
    folder: WorkingFolder = field(default_factory=WorkingFolder)

    def run(self, worker: Worker) -> pd.DataFrame | GroupRecord:
        """Put the spot table into the store, and return it if it is wanted in memory, or else its record.

        One thread: its bytes do not depend on the cores.
        """
        store, detector = SpotStore(self.folder.find(self.store)), self.detector.get(worker.device)
        encoder = detector.config.encoder
        recipe_key = encoder.recipe_key if encoder else ""
        require_modality(self.entry, detector.config)
        data = load_sections(store, [self.entry], recipe_key=recipe_key, stain_key=self.stain_key)[0]
        with one_thread():
            table = call_section(detector, data, self.rule, batch_size=self.batch_size)
        key = table.attrs[DETECTOR_KEY_ATTR] = detector.config.key
        self.bands.attach(table)
        attach_regions_rule(self.regions, table)
        attach_content(data.content, table)
        config = detector.config.model_dump(mode="json")
        record = store.publish_predictions(self.entry, table, key=key, detector=config)
        return table if self.in_memory else record


def require_modality(entry: SectionEntry, detector: DetectorConfig) -> None:
    """Refuse a section that has neither an image nor genes that the detector reads."""
    if not (entry.slide and detector.encoder) and not (entry.genes and detector.panel):
        raise DetectorError(
            f"section '{entry.id}' has no image, and the detector reads only H&E", hint="ingest it with --image FILE"
        )
