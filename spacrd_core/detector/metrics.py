"""The metrics of a detector on held-out patients: the file ``metrics.json``, which may come from a stranger."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from spacrd_core.config import mistakes
from spacrd_core.errors import DetectorError
from spacrd_core.opening.json_text import parse_json
from spacrd_core.opening.small import read_small
from spacrd_core.quoting import listed

if TYPE_CHECKING:
    from pathlib import Path

    from spacrd_core.detector.config import DetectorConfig

METRICS_FILE = "metrics.json"
HINT = "copy the detector again"


class _Facts(BaseModel):
    """A part of the metrics; facts of a later version are left alone."""

    model_config = ConfigDict(extra="allow", allow_inf_nan=False, strict=True)


class _HeldOut(_Facts):
    spots: int = Field(ge=0)
    positives: int = Field(ge=0)
    auc: float | None
    ap: float | None
    f1: float | None
    brier: float | None
    ece: float | None


class _Reliability(_Facts):
    patients: int = Field(ge=0)
    ece: float
    spots: list[int] = Field(max_length=100)
    probability: list[float | None]
    cancer: list[float | None]

    @model_validator(mode="after")
    def _of_the_same_bins(self) -> Self:
        if not len(self.spots) == len(self.probability) == len(self.cancer):
            raise ValueError("spots, probability and cancer have other numbers of bins")
        if all(None in pair for pair in zip(self.probability, self.cancer, strict=True)):
            raise ValueError("no bin has spots")
        return self


class _CopyNumber(_Facts):
    verdict: str


class _Epoch(_Facts):
    phase: str
    epoch: int
    losses: dict[str, float]


class _Labels(_Facts):
    spots: int = Field(ge=0)
    cancer: int = Field(ge=0)
    normal: int = Field(ge=0)


class _Metrics(_Facts):
    held_out: dict[str, _HeldOut]
    reliability: dict[str, _Reliability]
    held_out_together: list[list[str]] = []
    copy_number: dict[str, _CopyNumber] = {}
    curve: list[_Epoch]
    labels: dict[str, _Labels] = {}


def read_metrics(folder: Path, config: DetectorConfig) -> dict[str, Any]:
    """Return the metrics of a detector on held-out patients, as written in training.

    Raises
    ------
    DetectorError
        If the file cannot be read, or does not have the form of metrics of this detector.
    """
    file = folder / METRICS_FILE
    try:
        metrics: dict[str, Any] = parse_json(read_small(file, DetectorError), unique=True)
        _Metrics.model_validate(metrics)
    except ValidationError as error:
        raise DetectorError(f"{file}: {'; '.join(mistakes(error))}", hint=HINT) from error
    except (OSError, ValueError, LookupError, TypeError, MemoryError) as error:
        raise DetectorError(f"{file} cannot be read: {error}", hint=HINT) from error
    known = {section.id for section in config.trained_on}
    if unknown := [section for section in metrics["held_out"] if section not in known]:
        raise DetectorError(f"{file} has metrics of sections that are not in config.json: {listed(unknown)}", hint=HINT)
    return metrics
