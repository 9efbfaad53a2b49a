"""What can be set of the head ``spacrd``, and the published settings."""

from typing import Any, Final, Literal, Self

from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt, model_validator

from spacrd_core.cards import ComponentOptions

PAPER: Final[dict[str, Any]] = {
    "expert": False,
    "smoothing": False,
    "components": 0,
    "hidden": (1024, 512),
    "width": 512,
    "dropout": 0.2,
    "unit_tokens": True,
    "modality_dropout": 0.0,
    "heads": 8,
    "latent_hidden": (256, 128),
    "latent": 64,
    "classifier_hidden": 64,
    "align_epochs": 100,
    "reconstruct_epochs": 50,
    "detect_epochs": 50,
    "learning_rate": 1e-5,
    "weight_decay": 0.0,
}


READING: Final[dict[str, dict[str, Any]]] = {
    "default": {"panel_genes": 4000, "gene_centring": True, "gene_factors": 30},
    "paper": {
        "panel_genes": 3000,
        "neighbours": 7,
        "radius_pitches": 3.0,
        "gene_scale": "range",
        "image_scale": "range",
    },
}


class SpaCRDOptions(ComponentOptions):
    """Widths, losses and schedule of the head ``spacrd``.

    ``preset="paper"`` gives the published ones wherever nothing else is said. The preset ``default`` is for a handful
    of patients: with few of them a deep encoder learns the patients, so each modality enters as a few principal
    components, encoded by one linear layer, and training is short.
    """

    preset: Literal["default", "paper"] = Field("default", description="What the other options start from.")

    attention: bool = Field(default=True, description="Fuse by attention over the neighbourhood; off, the spot alone.")
    reconstruction: bool = Field(default=True, description="Reconstruct fused features, the classes' latents parted.")
    expert: bool = Field(default=True, description="Without images, add the logit of the genes' mean difference.")
    smoothing: bool = Field(default=True, description="Average logits over like tissue around a spot.")

    components: NonNegativeInt = Field(20, description="Principal components read of each modality; 0 reads features.")
    hidden: tuple[PositiveInt, ...] = Field((), description="Widths of the encoders' hidden layers.")
    width: PositiveInt = Field(64, description="Width of codes, attention and fused features.")
    dropout: float = Field(0.2, ge=0, lt=1, description="Dropout after the encoders' hidden layers.")
    unit_tokens: bool = Field(default=False, description="Scale codes to length 1 before attention.")
    neighbour_norm: bool = Field(
        default=False, description="Scale each feature over the neighbourhood instead, as the released code does."
    )
    modality_dropout: float = Field(
        0.5, ge=0, lt=1, description="How often a batch is trained on with one modality alone, either equally often."
    )
    heads: PositiveInt = Field(4, description="Attention heads; divides the width.")
    attention_dropout: float = Field(0.1, ge=0, lt=1, description="Dropout of attention weights.")
    latent_hidden: tuple[PositiveInt, ...] = Field(
        (64,), min_length=1, description="Widths between fused features and latent space; mirrored by the decoder."
    )
    latent: PositiveInt = Field(16, description="Dimensions of the latent space.")
    classifier_hidden: PositiveInt = Field(32, description="Width of the classifier's hidden layer.")

    temperature: PositiveFloat = Field(0.07, description="Of the contrastive loss.")
    alpha: float = Field(0.5, ge=0, le=1, description="Weight of its direction from image to genes.")
    prior_weight: NonNegativeFloat = Field(0.5, description="Weight of the divergence from the class priors.")
    separation_weight: NonNegativeFloat = Field(0.1, description="Weight of the distance between the class means.")
    reconstruction_weight: NonNegativeFloat = Field(0.1, description="Weight of reconstruction while detecting.")

    align_epochs: NonNegativeInt = Field(10, description="Epochs of contrastive alignment.")
    reconstruct_epochs: NonNegativeInt = Field(5, description="Epochs of reconstruction alone.")
    detect_epochs: NonNegativeInt = Field(8, description="Epochs of detection with reconstruction.")
    learning_rate: PositiveFloat = Field(1e-3, description="Of AdamW; without weight decay that is Adam.")
    weight_decay: NonNegativeFloat = Field(1e-2, description="Of AdamW.")
    batch_size: PositiveInt = Field(512, description="Spots a step.")

    @model_validator(mode="before")
    @classmethod
    def _start_from_the_preset(cls, values: Any) -> Any:
        if isinstance(values, dict) and values.get("preset") == "paper":
            return PAPER | values
        return values

    @model_validator(mode="after")
    def _heads_divide_the_width(self) -> Self:
        if self.width % self.heads:
            raise ValueError(f"width must be a multiple of heads, {self.width} is not one of {self.heads}")
        return self
