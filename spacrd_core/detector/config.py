"""What a detector says of itself: its ``config.json``, readable without torch."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, Literal, Self

from pydantic import Field

from spacrd_core.cards import Recipe, fingerprint
from spacrd_core.cohort.modalities import view_of
from spacrd_core.errors import DetectorError
from spacrd_core.files import Record, read_record

if TYPE_CHECKING:
    from pathlib import Path

SCHEMA = 1
FORMAT: Final = "spacrd-detector"


class EncoderRecord(Record):
    """The encoder a detector was trained with; ``options`` are those that were chosen, without paths."""

    name: str
    options: dict[str, Any] = Field(default_factory=dict)
    recipe_key: str
    recipe: dict[str, Any]


class TrainedOn(Record):
    """A section the detector has seen."""

    id: str
    patient: str
    platform: str
    identity: str
    label_source: str


class CalibrationRecord(Record):
    """From logits to probabilities and calls."""

    method: str
    shares: dict[str, float]
    slopes: dict[str, float]
    intercept: float
    threshold: float = Field(ge=0, le=1)
    threshold_rule: str
    strangeness: tuple[tuple[float, ...], ...] = ()


class DetectorConfig(Record):
    """Everything of a detector but its weights."""

    format: Literal["spacrd-detector"] = FORMAT
    schema_version: int = Field(SCHEMA, ge=1)
    spacrd_version: str
    torch_version: str
    head: str
    head_options: dict[str, Any]
    head_epochs: dict[str, int]
    cohort: dict[str, Any]
    seeds: tuple[int, ...] = Field(min_length=1)
    panel: tuple[str, ...]
    panel_ids: tuple[str, ...] = ()
    species: str = ""
    image_dim: int = Field(ge=0)
    encoder: EncoderRecord | None
    calibrations: dict[str, CalibrationRecord] = Field(min_length=1)
    trained_on: tuple[TrainedOn, ...]
    weights_sha256: str = Field(pattern="^[0-9a-f]{64}$")
    seal: str = ""

    @property
    def key(self) -> str:
        """What the detector is known by: two with one key say the same."""
        return self.seal

    def sealed(self) -> Self:
        """Return the configuration with the hash of everything else in it, by which a later change shows."""
        return self.model_copy(update={"seal": fingerprint(self.model_dump(mode="json", exclude={"seal"}))})

    @property
    def modalities(self) -> str:
        """``image+genes``, ``genes`` or ``image``."""
        return view_of(genes=bool(self.panel), image=bool(self.image_dim))

    @property
    def calibration(self) -> CalibrationRecord:
        """That of sections with all the detector reads."""
        return self.calibrations.get(self.modalities) or next(iter(self.calibrations.values()))

    @property
    def licence(self) -> str:
        """The encoder's licence; empty when there is no encoder."""
        return self._recipe.licence if self._recipe else ""

    @property
    def bound_by_licence(self) -> bool:
        """Whether the encoder's licence may reach the detector, as one does that names what is made from its output."""
        return self._recipe is not None and not self._recipe.permissive

    @property
    def _recipe(self) -> Recipe | None:
        return Recipe.of(self.encoder.recipe) if self.encoder else None


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
    config = read_record(file, DetectorConfig, newest=SCHEMA, refuse=DetectorError)
    written = {name: fact for name, fact in json.loads(file.read_bytes()).items() if name != "seal"}
    if config.seal != fingerprint(written):  # of what is there: an older SpaCRD wrote fewer facts
        raise DetectorError(f"{file} was changed after training", hint="copy the detector again, or train anew")
    return config
