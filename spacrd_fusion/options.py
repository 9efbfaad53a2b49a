"""What can be set of the head ``spacrd``, and the published settings."""

from typing import Any, Final, Literal

from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt, model_validator

from spacrd_core.cards import ComponentOptions

Share = Field(ge=0, lt=1)

PAPER: Final[dict[str, object]] = {
    "components": 0,
    "hidden": (1024, 512),
    "width": 512,
    "heads": 8,
    "dropout": 0.2,
    "gene_dropout": 0.0,
    "attention_dropout": 0.1,
    "latent_hidden": (256, 128),
    "latent": 64,
    "classifier_hidden": 64,
    "align_epochs": 100,
    "reconstruct_epochs": 50,
    "detect_epochs": 50,
    "learning_rate": 1e-5,
    "weight_decay": 0.0,
    "batch_size": 512,
}


class SpaCRDOptions(ComponentOptions):
    """Widths, losses and schedule; ``preset="paper"`` gives the published ones where nothing else is said."""

    preset: Literal["default", "paper"] = "default"
    components: NonNegativeInt = 0
    hidden: tuple[PositiveInt, ...] = (256,)
    width: PositiveInt = 128
    heads: PositiveInt = 4
    dropout: float = 0.3
    gene_dropout: float = 0.5
    attention_dropout: float = 0.1
    latent_hidden: tuple[PositiveInt, ...] = (128, 64)
    latent: PositiveInt = 32
    classifier_hidden: PositiveInt = 32
    temperature: PositiveFloat = 0.07
    alpha: float = 0.5
    prior_weight: NonNegativeFloat = 0.5
    separation_weight: NonNegativeFloat = 0.1
    reconstruction_weight: NonNegativeFloat = 0.1
    align_epochs: NonNegativeInt = 10
    reconstruct_epochs: NonNegativeInt = 5
    detect_epochs: NonNegativeInt = 15
    learning_rate: PositiveFloat = 1e-3
    weight_decay: NonNegativeFloat = 1e-2
    batch_size: PositiveInt = 512
    scale: bool = False
    l2: bool = True
    detach: bool = False
    whiten: bool = True

    @model_validator(mode="before")
    @classmethod
    def _start_from_the_preset(cls, values: Any) -> Any:
        if isinstance(values, dict) and values.get("preset") == "paper":
            return PAPER | values
        return values
