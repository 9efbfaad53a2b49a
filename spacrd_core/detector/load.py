"""Load a detector from a folder or from the Hugging Face Hub."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from spacrd_core.detector.built_in import built_in_detector, is_built_in
from spacrd_core.detector.detector import Detector
from spacrd_core.detector.locate import locate_detector
from spacrd_core.devices import choose_device
from spacrd_core.errors import ConfigError
from spacrd_core.plugins import Plugins, load_plugins
from spacrd_core.prior.lists import CARCINOMA
from spacrd_core.progress import Track, silent
from spacrd_core.replacement import read_whole

DETECTOR_KEY_ATTR = "detector"  # the entry in the attrs of a spot table that has the key of its detector


def load_detector(
    detector: str | Path,
    *,
    lists: str = CARCINOMA,
    device: str = "auto",
    plugins: Plugins | None = None,
    track: Track = silent,
) -> Detector:
    """Return the detector in a folder, or on the Hugging Face Hub as ``hf://owner/name[@revision]``, or ``prior``.

    ``prior`` is built in; a folder of that name is ``./prior``. ``lists`` are its gene lists; a trained detector has
    its own.

    >>> load_detector("detector").config.modalities
    'image+genes'

    Raises
    ------
    DetectorError
        If there is no detector, it was changed after training, or it cannot be downloaded.
    """
    plugins = plugins or load_plugins()
    if is_built_in(str(detector)):
        return built_in_detector(plugins, lists)
    if lists != CARCINOMA:
        raise ConfigError(
            "a trained detector keeps the gene lists that it was trained with",
            hint="prior.lists is a setting of the built-in detector prior",
        )
    heads = plugins.heads

    def load() -> Detector:
        source = locate_detector(str(detector), track=track)
        return replace(Detector.load(source.folder, heads=heads, device=choose_device(device)), source=source)

    return read_whole(Path(detector), load)


def as_detector(
    detector: Detector | str | Path, *, device: str = "auto", plugins: Plugins | None = None, track: Track = silent
) -> Detector:
    """Return a detector; load it if its folder or address is given."""
    if isinstance(detector, Detector):
        return detector
    return load_detector(detector, device=device, plugins=plugins, track=track)
