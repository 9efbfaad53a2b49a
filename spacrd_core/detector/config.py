"""The configuration of a detector: its ``config.json``, readable without torch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, Self

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from spacrd_core.cards import Recipe
from spacrd_core.cards import fingerprint as fingerprint_of
from spacrd_core.cohort.modalities import join_modalities
from spacrd_core.detector.own_files import require_own_files
from spacrd_core.detector.records import (
    AmountRecord,
    CalibrationRecord,
    EncoderRecord,
    Modalities,
    PriorRecord,
    TrainingSection,
)
from spacrd_core.errors import DetectorError
from spacrd_core.files import Record, read_record
from spacrd_core.model.computation import Precision  # noqa: TC001 - pydantic needs it
from spacrd_core.model.options import PRIOR_HEAD
from spacrd_core.opening.kinds import refuse_special

if TYPE_CHECKING:
    from pathlib import Path

__all__ = [
    "AmountRecord",
    "CalibrationRecord",
    "DetectorConfig",
    "EncoderRecord",
    "PriorRecord",
    "TrainingSection",
    "read_detector_config",
]

SCHEMA_VERSION = 2  # 2: what a section says of itself, and how much of it is tumour
FORMAT: Final = "spacrd-detector"


class DetectorConfig(Record):
    """Everything in a detector except its weights."""

    format: Literal["spacrd-detector"] = FORMAT
    schema_version: int = Field(SCHEMA_VERSION, ge=1)
    spacrd_version: str
    torch_version: str
    head: str
    head_options: dict[str, Any]
    head_epochs: dict[str, int]
    cohort: dict[str, Any]
    seeds: tuple[int, ...] = Field(min_length=1)
    precision: Precision = "fp32"
    panel: tuple[str, ...]
    panel_ids: tuple[str, ...]
    species: str
    image_dim: int = Field(ge=0)
    encoder: EncoderRecord | None
    calibrations: dict[Modalities, CalibrationRecord] = Field(min_length=1)
    prior: PriorRecord | None
    without_prior: str
    trained_on: tuple[TrainingSection, ...]
    weights_sha256: str = Field(pattern="^[0-9a-f]{64}$")
    fingerprint: str = ""

    @model_validator(mode="after")
    def _require_one_id_per_gene(self) -> Self:
        if len(set(self.panel)) < len(self.panel):
            raise ValueError("the panel names a gene twice")
        if len(self.panel_ids) not in {0, len(self.panel)}:
            raise ValueError(f"the panel has {len(self.panel)} genes and {len(self.panel_ids)} ids")
        return self

    @model_serializer(mode="wrap")
    def _without_usual_precision(self, serialise: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave out the usual precision, which detectors did not name before there was another one."""
        return {name: value for name, value in serialise(self).items() if (name, value) != ("precision", "fp32")}

    @property
    def key(self) -> str:
        """The key of the detector: two detectors with the same key give the same calls."""
        return self.fingerprint

    def with_fingerprint(self) -> Self:
        """Return the configuration with a hash of all its other fields, which reveals a later change."""
        return self.model_copy(update={"fingerprint": self.compute_fingerprint()})

    def compute_fingerprint(self) -> str:
        """Return the hash of all other fields."""
        return fingerprint_of(self.model_dump(mode="json", exclude={"fingerprint"}))

    @property
    def built_in(self) -> bool:
        """Whether this is the built-in detector, which no labels trained."""
        return self.head == PRIOR_HEAD

    @property
    def modalities(self) -> str:
        """``image+genes``, ``genes`` or ``image``."""
        return join_modalities(genes=bool(self.panel), image=bool(self.image_dim))

    @property
    def calibration(self) -> CalibrationRecord:
        """The calibration of sections that have all modalities of the detector."""
        named: dict[str, CalibrationRecord] = {str(name): record for name, record in self.calibrations.items()}
        return named.get(self.modalities) or next(iter(named.values()))

    @property
    def licence(self) -> str:
        """The licence of the encoder; empty without an encoder."""
        return self.recipe.licence if self.recipe else ""

    @property
    def restricted_by_licence(self) -> bool:
        """Whether the licence of the encoder may cover models trained on its embeddings, this detector included."""
        return self.recipe is not None and not self.recipe.permissive

    @property
    def recipe(self) -> Recipe | None:
        """The recipe of the encoder; None without an encoder."""
        return Recipe.from_dict(self.encoder.recipe) if self.encoder else None


def read_detector_config(folder: Path) -> DetectorConfig:
    """Return the configuration of the detector in a folder.

    Raises
    ------
    DetectorError
        If the folder contains no detector, or the file is damaged, was changed, or was written by a newer SpaCRD.
    """
    require_own_files(folder)
    file = folder / "config.json"
    refuse_special(file, DetectorError)
    if not file.is_file():
        raise DetectorError(f"there is no detector at {folder}", hint=f"spacrd train STORE -o {folder}")
    config = read_record(
        file, DetectorConfig, min_version=SCHEMA_VERSION, max_version=SCHEMA_VERSION, error=DetectorError
    )
    if config.fingerprint != config.compute_fingerprint():
        raise DetectorError(f"{file} was changed after training", hint="copy the detector again, or train a new one")
    return config
