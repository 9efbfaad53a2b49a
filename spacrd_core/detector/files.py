"""The files in the folder of a detector: their names and their verification."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from spacrd_core.detector.config import FORMAT
from spacrd_core.detector.metrics import METRICS_FILE
from spacrd_core.detector.training_folder import is_done, remove_kept, training_folder
from spacrd_core.errors import DetectorError
from spacrd_core.files import FILE_MANAGER, restore_folder
from spacrd_core.opening.json_text import parse_json
from spacrd_core.opening.kinds import refuse_special
from spacrd_core.opening.small import MAX_SMALL_BYTES, read_small
from spacrd_core.outputs import require_outside, require_room
from spacrd_core.quoting import listed
from spacrd_core.replacement import real, was_interrupted
from spacrd_core.staging import remove_abandoned

if TYPE_CHECKING:
    from pathlib import Path

    from spacrd_core.detector.config import DetectorConfig

CONFIG_FILE = "config.json"
WEIGHTS_FILE = "model.safetensors"
CARD_FILE = "README.md"
CURVE_FILE = "curve.png"
RELIABILITY_FILE = "reliability.png"
REQUIRED_FILES = (CONFIG_FILE, WEIGHTS_FILE, METRICS_FILE)
OPTIONAL_FILES = (CARD_FILE, CURVE_FILE, RELIABILITY_FILE)
DETECTOR_FILES = (*REQUIRED_FILES, *OPTIONAL_FILES)
# What is fetched of each. Weights of the heads of the paper have 100 MB, a configuration of 8,000 genes half a MB.
MAX_BYTES = dict.fromkeys(DETECTOR_FILES, MAX_SMALL_BYTES) | {WEIGHTS_FILE: 2**32}
ORIGIN_FILE = "hub.json"  # of a detector that was downloaded
DETECTOR_BYTES = 1_000_000  # a small one


def prepare_detector_folder(folder: Path) -> None:
    """Require that a detector can be written to a folder, whose replacement is finished first if it was interrupted.

    Raises
    ------
    DetectorError, InputError, OutputError
        If other files are in the way, or there is no right to write, or no room.
    """
    restore_folder(folder)
    require_detector_folder(folder)
    require_room(real(folder).parent, DETECTOR_BYTES)


def require_detector_folder(folder: Path, *, replace: bool = True) -> None:
    """Require that a folder is new, empty or contains a detector and nothing else.

    Without ``replace``, it must not contain a detector, unless a process was killed while it replaced that.

    Raises
    ------
    DetectorError, InputError
        If it is none of these.
    """
    require_outside(folder)
    if folder.exists() and (not folder.is_dir() or (any(folder.iterdir()) and not is_detector(folder))):
        raise DetectorError(
            f"{folder} contains other files and is not a detector", hint="choose a new folder for the detector"
        )
    if folder.is_dir() and folder.samefile("."):
        raise DetectorError(
            f"{folder} is the folder that you are in, which cannot be replaced as a whole",
            hint=f"choose {folder / 'detector'}",
        )
    if folder.is_mount():
        raise DetectorError(
            f"{folder} is a mount point, which cannot be replaced as a whole", hint=f"choose {folder / 'detector'}"
        )
    if others := _other_files(folder):
        raise DetectorError(
            f"{folder} contains a detector and other files, which would be lost: {listed(others)}",
            hint="move them, or choose a new folder for the detector",
        )
    if is_detector(folder) and not replace and not was_interrupted(folder):
        remove_abandoned(real(folder).parent)  # of a process that was killed when it was done
        if is_done(training_folder(folder), detector_key(folder)):
            remove_kept(training_folder(folder))
        raise DetectorError(
            f"{folder} contains a detector already", hint="add --replace, or choose a new folder for the detector"
        )


def _other_files(folder: Path) -> list[str]:
    if not folder.is_dir():
        return []
    names = {path.name for path in folder.iterdir()} - {*DETECTOR_FILES, ORIGIN_FILE}
    return sorted(name for name in names if not FILE_MANAGER.fullmatch(name))


def is_detector(folder: Path) -> bool:
    """Return whether a folder has the ``config.json`` of a detector."""
    file = folder / CONFIG_FILE
    try:
        return file.is_file() and bool(parse_json(read_small(file, DetectorError))["format"] == FORMAT)
    except (OSError, ValueError, LookupError, TypeError, DetectorError):
        return False


def detector_key(folder: Path) -> str:
    """Return the key of the detector in a folder; '' if there is none."""
    return key_of(read_small(folder / CONFIG_FILE, DetectorError)) if is_detector(folder) else ""


def key_of(config: bytes) -> str:
    """Return the key that the text of a detector's ``config.json`` states; '' if it states none."""
    try:
        return str(parse_json(config)["fingerprint"])
    except (ValueError, LookupError, TypeError):
        return ""


def verified_weights(folder: Path, config: DetectorConfig) -> Path:
    """Return the weights file of a detector after verifying its checksum.

    Raises
    ------
    DetectorError
        If the file is missing, or is not the one that the configuration belongs to.
    """
    file = folder / WEIGHTS_FILE
    refuse_special(file, DetectorError)
    if not file.is_file():
        raise DetectorError(f"{file} is missing", hint="copy the whole detector folder")
    with file.open("rb") as stream:
        sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
    if sha256 != config.weights_sha256:
        raise DetectorError(f"the checksum of {file} does not match config.json", hint="copy the detector again")
    return file
