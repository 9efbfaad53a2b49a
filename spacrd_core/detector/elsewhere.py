"""A detector for the workers of an executor: each of them gets it once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from spacrd_core.detector.detector import Detector
from spacrd_core.devices import choose_device
from spacrd_core.errors import DetectorError
from spacrd_core.executors.local import Local
from spacrd_core.executors.working_folder import WorkingFolder
from spacrd_core.plugins import load_plugins

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def local_detector(detector: Detector) -> Local[Detector]:
    """Return a detector that workers load from its folder; one that is in no folder is sent to them."""
    make: Callable[[str], Detector] = partial(_sent, detector)
    if detector.source:
        make = _Loaded(detector.source.folder, detector.config.key, WorkingFolder())
    return Local(make, detector)


@dataclass(frozen=True)
class _Loaded:
    """Loads a detector from its folder, in any process that sees it."""

    path: Path
    key: str
    folder: WorkingFolder

    def __call__(self, device: str) -> Detector:
        path = self.folder.find(self.path)
        detector = Detector.load(path, heads=load_plugins().heads, device=choose_device(device))
        if detector.config.key != self.key:
            raise DetectorError(
                f"{path} holds detector {detector.config.key} on this worker, not {self.key}",
                hint="give a folder that all workers see, such as one beside the store",
            )
        return detector


def _sent(detector: Detector, device: str) -> Detector:  # noqa: ARG001 - it stays on the device where it was trained
    return detector
