"""The files of a detector: their names, whose folder it is, and whether the weights are the ones that were trained."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError

from spacrd_core.config import mistakes
from spacrd_core.detector.config import FORMAT
from spacrd_core.errors import DetectorError
from spacrd_core.metrics.reliability import Reliability

if TYPE_CHECKING:
    from pathlib import Path

    from spacrd_core.detector.config import DetectorConfig

CONFIG = "config.json"
WEIGHTS = "model.safetensors"
METRICS = "metrics.json"
CARD = "README.md"
CURVE = "curve.png"
RELIABILITY = "reliability.png"
NEEDED = (CONFIG, WEIGHTS, METRICS)
FOR_PEOPLE = (CARD, CURVE, RELIABILITY)
FILES = (*NEEDED, *FOR_PEOPLE)


def require_room(folder: Path) -> None:
    """Refuse a folder that holds anything but a detector.

    Raises
    ------
    DetectorError
        If it does.
    """
    if folder.exists() and (not folder.is_dir() or (any(folder.iterdir()) and not is_detector(folder))):
        raise DetectorError(f"{folder} holds other files and is no detector", hint="name a new folder for the detector")


def is_detector(folder: Path) -> bool:
    """Whether the ``config.json`` of a folder says that it is a detector's."""
    try:
        return bool(json.loads((folder / CONFIG).read_bytes())["format"] == FORMAT)
    except (OSError, ValueError, LookupError, TypeError):
        return False


def read_metrics(folder: Path) -> dict[str, Any]:
    """Return a detector's figures on patients held out, as they were written in training.

    Raises
    ------
    DetectorError
        If they cannot be read, or do not say how reliable probabilities were in the way we draw it.
    """
    file = folder / METRICS
    try:
        metrics: dict[str, Any] = json.loads(file.read_bytes())
        TypeAdapter(dict[str, Reliability]).validate_python(metrics.get("reliability", {}))
    except ValidationError as error:
        raise DetectorError(f"{file}: {'; '.join(mistakes(error))}", hint="copy the detector again") from error
    except (OSError, ValueError, AttributeError) as error:
        raise DetectorError(f"{file} cannot be read: {error}", hint="copy the detector again") from error
    return metrics


def trained_weights(folder: Path, config: DetectorConfig) -> Path:
    """Return the weights file of a detector.

    Raises
    ------
    DetectorError
        If it is missing, or another than the configuration was written for.
    """
    file = folder / WEIGHTS
    if not file.is_file():
        raise DetectorError(f"{file} is missing", hint="copy the whole detector folder")
    with file.open("rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
    if found != config.weights_sha256:
        raise DetectorError(f"{file} is not the file its config.json was written for", hint="copy the detector again")
    return file
