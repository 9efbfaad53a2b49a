"""Ingest one section, or all parts of one capture area: a task of any executor."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from spacrd_core.executors.working_folder import WorkingFolder
from spacrd_core.ingestion.ingest import ingest_section
from spacrd_core.ingestion.parts.ingest import ingest_each_part
from spacrd_core.store.store import SpotStore

if TYPE_CHECKING:
    from spacrd_core.executors.local import Local
    from spacrd_core.executors.task import Worker
    from spacrd_core.ingestion.options import IngestOptions
    from spacrd_core.ingestion.put import Ingested
    from spacrd_core.plugins import Plugins
    from spacrd_core.progress import Track


@dataclass(frozen=True, kw_only=True)
class IngestTask:
    """The options of a section, and the store that it is put into. The same input twice changes nothing."""

    store: Path
    options: IngestOptions
    replace: bool
    plugins: Local[Plugins]
    track: Local[Track]
    folder: WorkingFolder = field(default_factory=WorkingFolder)

    def run(self, worker: Worker) -> tuple[list[Ingested], list[Exception]]:  # noqa: ARG002 - it needs no device
        """Return the sections in the store, and the errors of parts of a capture area that were refused."""
        store, options = SpotStore(self.folder.find(self.store)), self.found_options
        plugins, track = self.plugins.get(), self.track.get()
        if options.region:
            return ingest_each_part(store, options, plugins, replace=self.replace, track=track)
        return [ingest_section(store, options, plugins, replace=self.replace, track=track)], []

    @property
    def found_options(self) -> IngestOptions:
        """The options, with paths that this worker finds."""
        paths = {name: value for name, value in dict(self.options).items() if isinstance(value, Path)}
        return self.options.model_copy(update={name: self.folder.find(path) for name, path in paths.items()})
