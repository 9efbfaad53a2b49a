"""Read one section for a training: a task of any executor."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from spacrd_core.cohort.section_data import load_sections
from spacrd_core.devices import one_thread
from spacrd_core.executors.working_folder import WorkingFolder
from spacrd_core.prior.read import with_training_evidence
from spacrd_core.store.store import SpotStore

if TYPE_CHECKING:
    from pathlib import Path

    from spacrd_core.cohort.section_data import SectionData
    from spacrd_core.executors.task import Worker
    from spacrd_core.prior.lists import GeneLists
    from spacrd_core.store.manifest import SectionEntry


@dataclass(frozen=True, kw_only=True)
class ReadTask:
    """A section of a store, and what is read of it; without gene lists, not what it says of itself."""

    store: Path
    entry: SectionEntry
    encoder: str
    stain_key: str
    genes: bool
    cancer_fraction: float
    lists: GeneLists | None
    folder: WorkingFolder = field(default_factory=WorkingFolder)

    def run(self, worker: Worker) -> SectionData:  # noqa: ARG002 - it needs no device
        """Return the section. One thread: what it says of itself does not depend on the cores."""
        with one_thread():
            (section,) = load_sections(
                SpotStore(self.folder.find(self.store)),
                [self.entry],
                encoder=self.encoder,
                stain_key=self.stain_key,
                genes=self.genes,
                cancer_fraction=self.cancer_fraction,
            )
            return with_training_evidence(section, self.lists) if self.lists else section
