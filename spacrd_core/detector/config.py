"""What a detector says of itself: its ``config.json``, readable without torch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from spacrd_core.cards import fingerprint
from spacrd_core.config import mistakes
from spacrd_core.errors import DetectorError

if TYPE_CHECKING:
    from pathlib import Path

SCHEMA = 1


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class EncoderRecord(_Record):
    """The encoder a detector was trained with."""

    name: str
    recipe_key: str
    recipe: dict[str, Any]


class TrainedOn(_Record):
    """A section the detector has seen."""

    id: str
    patient: str
    platform: str
    identity: str
    label_source: str


class CalibrationRecord(_Record):
    """From logits to probabilities and calls."""

    method: str
    slope: float
    intercept: float
    threshold: float
    threshold_rule: str


class DetectorConfig(_Record):
    """Everything of a detector but its weights."""

    format: Literal["spacrd-detector"] = "spacrd-detector"
    schema_version: int = SCHEMA
    spacrd_version: str
    torch_version: str
    head: str
    head_options: dict[str, Any]
    head_epochs: dict[str, int]
    cohort: dict[str, Any]
    seeds: tuple[int, ...]
    panel: tuple[str, ...]
    image_dim: int
    encoder: EncoderRecord | None
    calibration: CalibrationRecord
    trained_on: tuple[TrainedOn, ...]
    weights_sha256: str = Field(pattern="^[0-9a-f]{64}$")

    @property
    def key(self) -> str:
        """A hash of configuration and weights: two detectors with one key say the same."""
        return fingerprint(self.model_dump(mode="json"))

    @property
    def modalities(self) -> str:
        """``image+genes``, ``genes`` or ``image``."""
        return "+".join(name for name, used in (("image", self.image_dim), ("genes", self.panel)) if used)

    @property
    def licence(self) -> str:
        """The licence that the encoder's output hands down to the detector; empty when there is none."""
        return str(self.encoder.recipe.get("licence", "unknown")) if self.encoder else ""


def read_detector_config(folder: Path) -> DetectorConfig:
    """Return a detector's configuration.

    Raises
    ------
    DetectorError
        If the folder holds none, or one of a newer SpaCRD.
    """
    file = folder / "config.json"
    if not file.is_file():
        raise DetectorError(f"there is no detector at {folder}", hint=f"spacrd train STORE -o {folder}")
    try:
        config = DetectorConfig.model_validate_json(file.read_bytes())
    except ValidationError as error:
        raise DetectorError(f"{file} is not a detector's configuration: {'; '.join(mistakes(error)[:3])}") from error
    if config.schema_version > SCHEMA:
        raise DetectorError(
            f"{file} has schema {config.schema_version}, this SpaCRD reads up to {SCHEMA}", hint="update SpaCRD"
        )
    return config
