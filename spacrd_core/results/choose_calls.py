"""Which detector's calls are exported: those of one, so that a folder never mixes two."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from spacrd_core.detector.built_in import built_in_detector, is_built_in
from spacrd_core.detector.config import read_detector_config
from spacrd_core.detector.locate import locate_detector
from spacrd_core.detector.predictions import read_predictions
from spacrd_core.errors import InputError, UnknownSection
from spacrd_core.plugins import load_plugins
from spacrd_core.progress import Track, silent
from spacrd_core.quoting import command
from spacrd_core.replacement import read_whole

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spacrd_core.store.folder import SectionNames
    from spacrd_core.store.manifest import SectionEntry
    from spacrd_core.store.store import SpotStore


def choose_calls(
    store: SpotStore, detector: str | None = None, sections: SectionNames = None, *, track: Track = silent
) -> tuple[str, list[str]]:
    """Return the key of a detector and the sections that it has called, or those that were asked for.

    ``detector`` is given as for ``detect``, or as its key in the store. None is the only one that has called them.

    Raises
    ------
    UnknownSection, InputError
        If there are no calls, or several detectors have called the sections and none is given.
    """
    entries = store.choose(sections)
    keys = list(dict.fromkeys(key for entry in entries for key in entry.predictions))
    if not keys:
        raise UnknownSection(f"{store.path} contains no calls yet", hint=command("detect", store.path, "DETECTOR"))
    if detector is None and len(keys) > 1:
        choices = "; ".join(_describe(store, key, entries) for key in keys)
        raise InputError(
            f"the sections were called by {len(keys)} detectors: {choices}", hint="name one of them after the store"
        )
    if detector in store.entries and not (detector in keys or is_built_in(detector) or Path(detector).exists()):
        raise UnknownSection(f"'{detector}' is a section of {store.path}, not a detector", hint=f"--section {detector}")
    key = keys[0] if detector is None else _key(detector, keys, track)
    called = [entry.id for entry in entries if sections or key in entry.predictions]
    if not called:
        raise UnknownSection(
            f"{store.path} contains no calls of {detector}", hint=command("detect", store.path, detector)
        )
    return key, called


def _key(detector: str, keys: Sequence[str], track: Track) -> str:
    if detector in keys:
        return detector
    if is_built_in(detector):
        return built_in_detector(load_plugins()).config.key
    return read_whole(Path(detector), lambda: read_detector_config(locate_detector(detector, track=track).folder).key)


def _describe(store: SpotStore, key: str, entries: Sequence[SectionEntry]) -> str:
    called = [entry.id for entry in entries if key in entry.predictions]
    _, config = read_predictions(store, called[0], key)
    encoder = f" with {config.encoder.name}" if config.encoder else ""
    more = f" and {len(called) - 3} more" if len(called) > 3 else ""
    return f"{key} ({config.head}{encoder}: {', '.join(called[:3])}{more})"
