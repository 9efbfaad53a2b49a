"""The files in the folder of a detector: their names and their verification."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError

from spacrd_core.config import mistakes
from spacrd_core.detector.config import FORMAT
from spacrd_core.errors import DetectorError
from spacrd_core.metrics.reliability import Reliability
from spacrd_core.opening.json_text import parse_json
from spacrd_core.opening.kinds import refuse_special

if TYPE_CHECKING:
    from pathlib import Path

    from spacrd_core.detector.config import DetectorConfig

CONFIG_FILE = "config.json"
WEIGHTS_FILE = "model.safetensors"
METRICS_FILE = "metrics.json"
CARD_FILE = "README.md"
CURVE_FILE = "curve.png"
RELIABILITY_FILE = "reliability.png"
REQUIRED_FILES = (CONFIG_FILE, WEIGHTS_FILE, METRICS_FILE)
OPTIONAL_FILES = (CARD_FILE, CURVE_FILE, RELIABILITY_FILE)
DETECTOR_FILES = (*REQUIRED_FILES, *OPTIONAL_FILES)


def require_detector_folder(folder: Path) -> None:
    """Require that a folder is new, empty or contains a detector.

    Raises
    ------
    DetectorError
        If it contains other files.
    """
    if folder.exists() and (not folder.is_dir() or (any(folder.iterdir()) and not is_detector(folder))):
        raise DetectorError(
            f"{folder} contains other files and is not a detector", hint="choose a new folder for the detector"
        )


def is_detector(folder: Path) -> bool:
    """Return whether a folder has the ``config.json`` of a detector."""
    file = folder / CONFIG_FILE
    try:
        return file.is_file() and bool(parse_json(file.read_bytes())["format"] == FORMAT)
    except (OSError, ValueError, LookupError, TypeError):
        return False


def read_metrics(folder: Path) -> dict[str, Any]:
    """Return the metrics of a detector on held-out patients, as written in training.

    Raises
    ------
    DetectorError
        If the file cannot be read, or its reliability figures do not have the form that is drawn.
    """
    file = folder / METRICS_FILE
    refuse_special(file, DetectorError)
    try:
        metrics: dict[str, Any] = parse_json(file.read_bytes())
        TypeAdapter(dict[str, Reliability]).validate_python(metrics["reliability"])
    except ValidationError as error:
        raise DetectorError(f"{file}: {'; '.join(mistakes(error))}", hint="copy the detector again") from error
    except (OSError, ValueError, LookupError, TypeError, MemoryError) as error:
        raise DetectorError(f"{file} cannot be read: {error}", hint="copy the detector again") from error
    return metrics


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
