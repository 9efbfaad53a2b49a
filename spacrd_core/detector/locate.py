"""Detectors wherever they are: in a folder, or on the Hugging Face Hub.

>>> found = find_detector("hf://lab/breast@v1")
>>> Detector.load(found.folder, heads=load_plugins().heads, device=choose_device())
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from spacrd_core.detector.address import Address, Origin, is_address
from spacrd_core.detector.config import read_detector_config
from spacrd_core.detector.download import Found, fetch
from spacrd_core.detector.files import FILES, is_detector, require_room
from spacrd_core.errors import DetectorError
from spacrd_core.files import read_record, replace_folder, restore_folder
from spacrd_core.progress import silent

if TYPE_CHECKING:
    from spacrd_core.progress import Track

ORIGIN = "hub.json"


def find_detector(detector: str, *, track: Track = silent) -> Found:
    """Return the folder of a detector, given as a folder or as ``hf://owner/name[@revision]``.

    Raises
    ------
    DetectorError
        If the Hub has none there, will not give it or cannot be reached, or what it gave is damaged.
    """
    if is_address(detector):
        return fetch(Address.of(detector), track=track)
    folder = Path(detector)
    file = folder / ORIGIN
    return Found(folder, read_record(file, Origin, newest=1, refuse=DetectorError) if file.is_file() else None)


def pull(address: Address, folder: Path, *, overwrite: bool = False, track: Track = silent) -> Found:
    """Put a detector of the Hub into a folder, with a record of its commit; it appears there whole or not at all.

    Raises
    ------
    DetectorError
        As :func:`find_detector`; or if the folder holds other files, or another detector and not ``overwrite``.
    """
    restore_folder(folder)
    require_room(folder)
    found = fetch(address, track=track)
    if not overwrite:
        _require_same(folder, read_detector_config(found.folder).key)
    contents = {name: (found.folder / name).read_bytes() for name in FILES if (found.folder / name).is_file()}
    if found.origin:
        contents[ORIGIN] = found.origin.model_dump_json(indent=1).encode()
    replace_folder(folder, contents)
    return replace(found, folder=folder)


def _require_same(folder: Path, key: str) -> None:
    """Refuse to write over another detector."""
    if not is_detector(folder):
        return
    try:
        held = read_detector_config(folder).key
    except DetectorError:
        held = "damaged"
    if held != key:
        raise DetectorError(f"{folder} holds another detector ({held})", hint="name another folder, or add --replace")
