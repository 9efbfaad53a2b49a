"""How a detector looks at a section: the same for every section, fitted on those it was trained on."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from jaxtyping import Bool, Float, Int
from pydantic import BaseModel, ConfigDict, Field

from spacrd_core.errors import DetectorError
from spacrd_core.genes import align, choose_panel
from spacrd_core.geometry import neighbours
from spacrd_core.learning.head import Dims
from spacrd_core.learning.sections import SectionData

Array = np.ndarray[Any, Any]
STILL = 1e-6


class CohortOptions(BaseModel):
    """What a detector reads of a section."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    panel_genes: int = Field(2000, ge=1, description="How many variable genes to read.")
    neighbours: int = Field(9, ge=1, description="Spots of a neighbourhood, the centre included.")
    radius_pitches: float = Field(1.6, gt=0, description="How far a neighbour may be, in lattice pitches.")


@dataclass(frozen=True)
class Lens:
    """What a detector reads of any section.

    Genes are log-normalised; genes and embeddings are standardised per section, because stain and chemistry shift
    between slides more than tissue does within one.

    Attributes
    ----------
    panel
        Gene symbols in order; empty for an image-only detector.
    image_dim
        The embedding's width; 0 for a genes-only detector.
    """

    options: CohortOptions
    panel: tuple[str, ...]
    image_dim: int

    @classmethod
    def fit(cls, sections: Sequence[SectionData], options: CohortOptions) -> Self:
        """Choose the panel on these sections alone."""
        expressions = [section.expression for section in sections if section.expression is not None]
        panel = choose_panel(expressions, options.panel_genes) if expressions else ()
        image_dim = max((section.image.shape[1] for section in sections if section.image is not None), default=0)
        return cls(options, panel, image_dim)

    @property
    def dims(self) -> Dims:
        """The widths a head is built for."""
        return Dims(genes=len(self.panel), image=self.image_dim)

    def around(self, section: SectionData) -> tuple[Int[Array, "spots k"], Bool[Array, "spots k"]]:
        """The neighbourhood of every spot: indices, itself first, and which of them are there."""
        radius_um = self.options.radius_pitches * section.pitch_um
        return neighbours(section.xy_um, k=self.options.neighbours, radius_um=radius_um)

    def genes(self, section: SectionData) -> Float[Array, "spots genes"] | None:
        """The section's expression on the panel, standardised; None where either side has no genes."""
        if section.expression is None or not self.panel:
            return None
        values, measured = align(section.expression, self.panel)
        if not measured.any():
            raise DetectorError(
                f"section '{section.id}' measures none of the detector's {len(self.panel)} genes",
                hint="are its genes named by symbol, as in training?",
            )
        return _standardise(values)

    def image(self, section: SectionData) -> Float[Array, "spots dim"] | None:
        """The section's embeddings, standardised; None where either side has no image."""
        if section.image is None or not self.image_dim:
            return None
        if section.image.shape[1] != self.image_dim:
            raise DetectorError(
                f"section '{section.id}' has {section.image.shape[1]} numbers a patch, the detector {self.image_dim}",
                hint="embed it with the detector's encoder",
            )
        return _standardise(section.image)


def _standardise(values: Float[Array, "spots d"]) -> Float[Array, "spots d"]:
    """Every feature with mean 0 and spread 1 over the section; one that does not vary is 0."""
    spread = values.std(axis=0)
    scaled = (values - values.mean(axis=0)) / np.where(spread > STILL, spread, 1.0)
    return np.asarray(scaled, dtype=np.float32)
