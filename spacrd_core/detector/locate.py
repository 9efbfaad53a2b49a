"""Find a detector in a folder or on the Hugging Face Hub.

>>> source = locate_detector("hf://lab/breast@v1")
>>> Detector.load(source.folder, heads=load_plugins().heads, device=choose_device())
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from spacrd_core.detector.address import Address, LocalDetector, Origin, is_address
from spacrd_core.detector.config import read_detector_config
from spacrd_core.detector.files import DETECTOR_FILES, ORIGIN_FILE, is_detector, prepare_detector_folder
from spacrd_core.detector.own_files import require_own_files
from spacrd_core.errors import DetectorError
from spacrd_core.files import read_record, replace_folder
from spacrd_core.opening.kinds import refuse_special
from spacrd_core.progress import silent
from spacrd_core.system_errors import explained

if TYPE_CHECKING:
    from spacrd_core.progress import Track


def locate_detector(detector: str, *, track: Track = silent) -> LocalDetector:
    """Return the local folder of a detector, given as a folder or as ``hf://owner/name[@revision]``.

    Raises
    ------
    DetectorError
        If the detector is not on the Hub, cannot be downloaded, or is damaged.
    """
    if is_address(detector):
        return _download(Address.parse(detector), track)
    folder = Path(detector)
    require_own_files(folder)
    file = folder / ORIGIN_FILE
    refuse_special(file, DetectorError)
    origin = read_record(file, Origin, max_version=1, error=DetectorError) if file.is_file() else None
    return LocalDetector(folder, origin)


def pull(address: Address, folder: Path, *, overwrite: bool = False, track: Track = silent) -> LocalDetector:
    """Copy a detector from the Hub to a folder, with a record of its commit; the folder is written as a whole.

    Raises
    ------
    DetectorError
        As :func:`locate_detector`; or if the folder contains other files, or another detector without ``overwrite``.
    """
    prepare_detector_folder(folder)
    source = _download(address, track)
    if not overwrite:
        _require_same_detector(folder, read_detector_config(source.folder).key)
    files = [source.folder / name for name in DETECTOR_FILES]
    contents = {file.name: file.read_bytes() for file in files if file.is_file()}
    if source.origin:
        contents[ORIGIN_FILE] = source.origin.model_dump_json(indent=1).encode()
    with explained(folder):
        replace_folder(folder, contents)
    return replace(source, folder=folder)


def _download(address: Address, track: Track) -> LocalDetector:
    from spacrd_core.detector.download import download_detector  # noqa: PLC0415 - the Hub's library; no folder needs it

    return download_detector(address, track=track)


def _require_same_detector(folder: Path, key: str) -> None:
    """Refuse to replace another detector."""
    if not is_detector(folder):
        return
    try:
        present = read_detector_config(folder).key
    except DetectorError:
        present = "damaged"
    if present != key:
        raise DetectorError(
            f"{folder} contains another detector ({present})", hint="choose another folder, or add --replace"
        )
