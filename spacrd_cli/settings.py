"""The components that commands use when none is named."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import Field

from spacrd_core.cohort.options import CohortOptions
from spacrd_core.config import CommandConfig, ComponentSettings, read_config
from spacrd_core.errors import ConfigError
from spacrd_core.model.options import USUAL, HeadChoice

if TYPE_CHECKING:
    from spacrd_core.model.calibrated_ensemble import TrainOptions

ENCODER = "uni"


class EncoderSettings(ComponentSettings):
    """An encoder and its options; UNI unless another is named."""

    name: str = ENCODER


class EncoderName(CommandConfig):
    """The encoder whose embeddings are read, or ``none``; it has done its work, so its options have no place here."""

    name: str = ENCODER

    @property
    def read(self) -> str | None:
        """Its name; None where no image is read."""
        return None if self.name in {"", "none"} else self.name


class TrainingSettings(CommandConfig):
    """What every training is told, whichever command asks for it."""

    encoder: EncoderName = Field(default_factory=EncoderName)
    no_genes: bool = False
    cohort: dict[str, Any] = Field(default_factory=dict)
    first_seed: int = Field(42, description="The first seed; the others count on from it.")
    calibrate: bool = Field(default=True, description="Hold patients out, to calibrate and to choose the threshold.")
    device: str = "auto"

    def training(self, head: HeadChoice, *, seeds: int) -> TrainOptions:
        """Return a training's options; the cohort's are checked here, the head's when it is built."""
        from spacrd_core.model.calibrated_ensemble import TrainOptions  # torch arrives here, not sooner

        cohort = read_config(CohortOptions, flags=self.cohort)
        return TrainOptions(head=head, cohort=cohort, seeds=seeds, first_seed=self.first_seed, calibrate=self.calibrate)

    def require_a_modality(self) -> None:
        """Refuse to read neither image nor genes."""
        if self.no_genes and not self.encoder.read:
            raise ConfigError("--encoder none and --no-genes leave nothing to read", hint="drop one of them")


class HeadSettings(ComponentSettings):
    """A fusion head and its options; ``spacrd`` unless another is named."""

    name: str = USUAL
