"""Options of how a detector reads a section."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class CohortOptions(BaseModel):
    """What a detector reads of a section."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    panel_genes: int = Field(2000, ge=1, description="How many variable genes to read.")
    neighbours: int = Field(9, ge=1, description="Spots of a neighbourhood, the centre included.")
    radius_pitches: float = Field(1.6, gt=0, description="How far a neighbour may be, in lattice pitches.")
    gene_centring: bool = Field(
        default=False, description="Take a spot's mean over all genes from each, and with it the depth it was read to."
    )
    gene_factors: int = Field(
        0, ge=0, description="Factors by which genes a section lacks are inferred, and noise is damped; 0 reads genes."
    )
    gene_scale: Literal["spread", "range"] = Field(
        "spread", description="Scale a section's genes to mean 0 and spread 1, or to the range from 0 to 1."
    )
    image_scale: Literal["training", "section", "range"] = Field(
        "training", description="Standardise embeddings by the training patients or each section, or to 0 to 1 in each."
    )
    cancer_fraction: float = Field(
        0.5, gt=0, le=1, description="Share of cancer among a spot's labelled cells or bins from which it is cancer."
    )
