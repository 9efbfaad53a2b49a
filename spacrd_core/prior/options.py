"""How a trained detector uses what a section says of itself."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from spacrd_core.prior.lists import CARCINOMA


class PriorOptions(BaseModel):
    """The gene lists, and the weights of a section's own evidence beside a trained head.

    The weights are constant: two or three patients cannot choose them.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    use: bool = Field(
        default=True,
        description="Add the prior (gene lists and H&E density of the section itself) to the trained head's score.",
    )
    lists: str = Field(CARCINOMA, description="Gene lists: 'carcinoma', or a TOML file.")
    genes_weight: float = Field(2.0, ge=0, description="Weight of the gene lists beside a logit of genes.")
    fused_weight: float = Field(
        0.35, ge=0, description="Weight of the gene lists beside the image, in standard deviations of its logit."
    )
    image_gate: bool = Field(
        default=True, description="Trust the image's logit as far as it agrees with the density of the H&E."
    )
