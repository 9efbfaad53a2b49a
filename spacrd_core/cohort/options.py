"""Options of how a detector reads a section."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from spacrd_core.labels.cancer_fraction import DEFAULT_CANCER_FRACTION


class CohortOptions(BaseModel):
    """How a detector reads a section."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    panel_genes: int = Field(2000, ge=1, description="Number of variable genes to read.")
    neighbours: int = Field(9, ge=1, le=1000, description="Spots in a neighbourhood, including the centre.")
    radius_pitches: float = Field(1.6, gt=0, description="Largest distance of a neighbour, in lattice pitches.")
    library: Literal["all", "panel"] = Field(
        "all", description="Genes whose counts are a spot's library size: all that are measured, or those of the panel."
    )
    gene_centring: bool = Field(
        default=False, description="Subtract a spot's mean over all genes, which removes its sequencing depth."
    )
    gene_factors: int = Field(
        0, ge=0, description="Number of gene factors that infer missing genes and reduce noise; 0 reads genes directly."
    )
    gene_scale: Literal["spread", "range"] = Field(
        "spread", description="Scaling of genes within a section: 'spread' to mean 0 and SD 1, 'range' to 0 to 1."
    )
    image_scale: Literal["training", "section", "range"] = Field(
        "training",
        description="Scaling of embeddings: by the training patients, by each section, or to 0 to 1 in each section.",
    )
    cancer_fraction: float = Field(
        DEFAULT_CANCER_FRACTION,
        gt=0,
        le=1,
        description="Smallest share of cancer among a spot's labelled cells or bins that makes the spot cancer.",
    )
    unknown_genes: bool = Field(
        default=False,
        description="Train on sections in which fewer than one in ten gene names are known (HGNC, Ensembl or mouse).",
    )
