"""The sections of a training or an evaluation, as a worker in another process loads them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from spacrd_core.detector.load_sections import load_training_sections
from spacrd_core.plugins import load_plugins
from spacrd_core.progress import silent
from spacrd_core.store.store import SpotStore

if TYPE_CHECKING:
    from pathlib import Path

    from spacrd_core.cohort.section_data import SectionData
    from spacrd_core.executors.working_folder import WorkingFolder
    from spacrd_core.model.calibrated_ensemble import TrainOptions
    from spacrd_core.store.manifest import SectionEntry


@dataclass(frozen=True)
class TrainingSections:
    """Loads the sections of a store that a training uses; a section that was replaced since is another one."""

    store: Path
    entries: tuple[SectionEntry, ...]
    options: TrainOptions
    encoder: str
    genes: bool
    folder: WorkingFolder

    def __call__(self) -> list[SectionData]:
        return load_training_sections(
            SpotStore(self.folder.find(self.store)),
            self.entries,
            self.options,
            encoder=self.encoder,
            genes=self.genes,
            device="cpu",
            plugins=load_plugins(),
            track=silent,
        )
