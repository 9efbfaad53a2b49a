"""Load a detector from a folder or from the Hugging Face Hub."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from spacrd_core.detector.detector import Detector
from spacrd_core.detector.locate import find_detector
from spacrd_core.devices import choose_device
from spacrd_core.plugins import Plugins, load_plugins
from spacrd_core.progress import Track, silent

if TYPE_CHECKING:
    from pathlib import Path


DETECTOR = "detector"  # in a table's attrs: the key of the one that made the calls


def load_detector(
    detector: str | Path, *, device: str = "auto", plugins: Plugins | None = None, track: Track = silent
) -> Detector:
    """Return the detector in a folder, or of the Hugging Face Hub as ``hf://owner/name[@revision]``.

    >>> load_detector("detector").config.modalities
    'image+genes'

    Raises
    ------
    DetectorError
        If there is none, it was changed after training, or it cannot be fetched.
    """
    heads = (plugins or load_plugins()).heads
    found = find_detector(str(detector), track=track)
    return replace(Detector.load(found.folder, heads=heads, device=choose_device(device)), found=found)


def as_detector(
    detector: Detector | str | Path, *, device: str = "auto", plugins: Plugins | None = None, track: Track = silent
) -> Detector:
    """Return a detector, loaded where it is given by its folder or address."""
    if isinstance(detector, Detector):
        return detector
    return load_detector(detector, device=device, plugins=plugins, track=track)
