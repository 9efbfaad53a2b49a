"""Options of the head ``spacrd``, and their presets."""

from typing import Any, Final, Literal, Self

from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt, model_validator

from spacrd_core.cards import ComponentOptions

PAPER_CLEAN_OPTIONS: Final[dict[str, Any]] = {
    "expert": False,
    "deep_genes": True,
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

PAPER_OPTIONS: Final[dict[str, Any]] = PAPER_CLEAN_OPTIONS | {
    "unit_tokens": False,
    "neighbour_norm": True,
    "neighbour_statistics": True,
    "class_mean_start": 0.01,
    "random_negatives": True,
}

PRESETS: Final[dict[str, dict[str, Any]]] = {
    "default": {},
    "paper": PAPER_OPTIONS,
    "paper-clean": PAPER_CLEAN_OPTIONS,
}

PAPER_CLEAN_COHORT: Final[dict[str, Any]] = {
    "panel_genes": 3000,
    "neighbours": 7,
    "radius_pitches": 3.0,
    "gene_scale": "range",
    "image_scale": "range",
}

COHORT_DEFAULTS: Final[dict[str, dict[str, Any]]] = {
    "default": {"panel_genes": 4000, "gene_centring": True, "gene_factors": 30},
    "paper": PAPER_CLEAN_COHORT | {"library": "panel"},
    "paper-clean": PAPER_CLEAN_COHORT,
}


class SpaCRDOptions(ComponentOptions):
    """Architecture, losses and schedule of the head ``spacrd``.

    ``preset="paper"`` computes what was published; ``paper-clean`` is the same network with codes of unit length.
    Options that are set override both. The preset ``default`` is for few patients, on which a deep encoder overfits:
    each modality enters as a few principal components, encoded by one linear layer, and training is short.
    """

    preset: Literal["default", "paper", "paper-clean"] = Field(
        "default", description="Preset that gives the defaults of the other options."
    )

    attention: bool = Field(
        default=True, description="Fuse by attention over the neighbourhood; if false, use the spot alone."
    )
    reconstruction: bool = Field(
        default=True, description="Reconstruct fused features from a latent space that separates the classes."
    )
    expert: bool = Field(
        default=True,
        description="Add a linear logit of the genes (difference of class means) to spots without an image.",
    )
    deep_genes: bool = Field(
        default=False,
        description="Score spots without an image by the deep part as well; with one to five training patients it adds "
        "nothing to the expert.",
    )
    smoothing: bool = Field(default=True, description="Average logits over similar tissue around a spot.")

    components: NonNegativeInt = Field(
        20, description="Number of principal components per modality; 0 uses the features directly."
    )
    hidden: tuple[PositiveInt, ...] = Field((), description="Widths of the encoders' hidden layers.")
    width: PositiveInt = Field(64, description="Width of codes, attention and fused features.")
    dropout: float = Field(0.2, ge=0, lt=1, description="Dropout after the encoders' hidden layers.")
    unit_tokens: bool = Field(default=False, description="Scale codes to unit length before attention.")
    neighbour_norm: bool = Field(
        default=False, description="Scale each feature over the neighbourhood instead, as the released code does."
    )
    neighbour_statistics: bool = Field(
        default=False, description="Count a spot in batch statistics once for every neighbourhood that it is in."
    )
    modality_dropout: float = Field(
        0.5,
        ge=0,
        lt=1,
        description="Probability of training on a batch with one modality only; both are equally likely.",
    )
    heads: PositiveInt = Field(4, description="Number of attention heads; must divide the width.")
    attention_dropout: float = Field(0.1, ge=0, lt=1, description="Dropout of the attention weights.")
    latent_hidden: tuple[PositiveInt, ...] = Field(
        (64,),
        min_length=1,
        description="Widths of the layers from fused features to latent space; the decoder mirrors them.",
    )
    latent: PositiveInt = Field(16, description="Number of latent dimensions.")
    class_mean_start: NonNegativeFloat = Field(
        0.1, description="Standard deviation of the random class means before training."
    )
    classifier_hidden: PositiveInt = Field(32, description="Width of the classifier's hidden layer.")

    temperature: PositiveFloat = Field(0.07, description="Temperature of the contrastive loss.")
    alpha: float = Field(
        0.5, ge=0, le=1, description="Weight of the contrastive loss from image to genes; the reverse has 1 - alpha."
    )
    random_negatives: bool = Field(
        default=False, description="Align random spots of all sections in a batch, instead of blocks of tissue."
    )
    prior_weight: NonNegativeFloat = Field(0.5, description="Weight of the divergence from the class priors.")
    separation_weight: NonNegativeFloat = Field(
        0.1, description="Weight of the reward for distance between the class means."
    )
    reconstruction_weight: NonNegativeFloat = Field(
        0.1, description="Weight of the reconstruction losses in the detection phase."
    )

    align_epochs: NonNegativeInt = Field(10, description="Epochs of contrastive alignment.")
    reconstruct_epochs: NonNegativeInt = Field(5, description="Epochs of reconstruction without detection.")
    detect_epochs: NonNegativeInt = Field(8, description="Epochs of detection with reconstruction.")
    learning_rate: PositiveFloat = Field(1e-3, description="Learning rate of AdamW.")
    weight_decay: NonNegativeFloat = Field(1e-2, description="Weight decay of AdamW; 0 makes it Adam.")
    batch_size: PositiveInt = Field(512, description="Spots per training step.")

    @model_validator(mode="before")
    @classmethod
    def _apply_preset(cls, values: Any) -> Any:
        if not isinstance(values, dict):
            return values
        return PRESETS.get(str(values.get("preset")), {}) | values

    @model_validator(mode="after")
    def _require_divisible_width(self) -> Self:
        if self.width % self.heads:
            raise ValueError(f"width must be a multiple of heads, but {self.width} is not a multiple of {self.heads}")
        return self
