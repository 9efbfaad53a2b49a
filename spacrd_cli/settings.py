"""Settings that several commands share, and the components that they use by default."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import Field

from spacrd_core.cohort.options import CohortOptions
from spacrd_core.config import CommandConfig, ComponentSettings
from spacrd_core.errors import ConfigError
from spacrd_core.model.computation import Computation, Precision
from spacrd_core.model.folds import Folds
from spacrd_core.model.options import DEFAULT_HEAD, HeadOptions
from spacrd_core.prior.options import PriorOptions

if TYPE_CHECKING:
    from spacrd_core.config import Check
    from spacrd_core.model.calibrated_ensemble import TrainOptions
    from spacrd_core.plugins import Registry

DEFAULT_ENCODER = "uni"


class EncoderSettings(ComponentSettings):
    """An encoder and its options."""

    name: str = DEFAULT_ENCODER


class EncoderName(CommandConfig):
    """The encoder whose stored embeddings are used, or ``none``. Its options were set when it embedded."""

    name: str = DEFAULT_ENCODER

    @property
    def name_or_none(self) -> str | None:
        """The name; None if no image is used."""
        return None if self.name in {"", "none"} else self.name


class TrainingSettings(CommandConfig):
    """Settings of every command that trains."""

    encoder: EncoderName = Field(default_factory=EncoderName)
    no_genes: bool = False
    cohort: CohortOptions = Field(default_factory=CohortOptions)
    prior: PriorOptions = Field(default_factory=PriorOptions)
    first_seed: int = Field(42, description="First seed; the others follow it consecutively.")
    calibrate: bool = Field(
        default=True, description="Hold patients out in turn to calibrate probabilities and choose the threshold."
    )
    folds: Folds | None = None
    device: str = "auto"
    precision: Precision = "fp32"
    compiled: bool = Field(
        default=False, description="Compile the training steps: minutes to start, meant for long trainings on CUDA."
    )

    def train_options(self, head: HeadOptions, *, seeds: int) -> TrainOptions:
        """Return the options of a training with a head."""
        from spacrd_core.model.calibrated_ensemble import TrainOptions  # imports torch

        return TrainOptions(
            head=head,
            cohort=self.cohort,
            prior=self.prior,
            computation=Computation(precision=self.precision, compiled=self.compiled),
            seeds=seeds,
            first_seed=self.first_seed,
            calibrate=self.calibrate,
            folds=self.folds,
        )

    @property
    def precision_note(self) -> str:
        """A note if the precision has no effect; empty if it has one."""
        from spacrd_core.devices import choose_device, effective_precision  # imports torch

        device = choose_device(self.device)
        effective = effective_precision(self.precision, device)
        return (
            "" if effective == self.precision else f"{self.precision} has no effect on {device}: trained in {effective}"
        )

    def require_modality(self) -> None:
        """Raise an error if neither image nor genes are used."""
        if self.no_genes and not self.encoder.name_or_none:
            raise ConfigError("--encoder none and --no-genes leave no modality to use", hint="drop one of them")


class HeadSettings(ComponentSettings):
    """A fusion head and its options."""

    name: str = DEFAULT_HEAD


def option_check(registry: Registry[Any], default: str = "") -> Check:
    """Return a check of the options in a component's table, for :func:`spacrd_core.config.read_config`.

    A table without options is accepted: its name is checked when the component is used.
    """

    def check(table: dict[str, Any]) -> None:
        name = table.get("name") or default
        options = {key: value for key, value in table.items() if key != "name"}
        if name and options:
            registry.options(name, options)

    return check
