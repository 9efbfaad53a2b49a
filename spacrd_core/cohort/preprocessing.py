"""How a detector looks at a section: the same for every section, fitted on those it was trained on."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from scipy.sparse.linalg import LinearOperator

from spacrd_core.arrays import Array
from spacrd_core.cohort.batch import Dims
from spacrd_core.cohort.gene_factors import GeneFactors
from spacrd_core.cohort.gene_rows import GeneReading, GeneRows, PanelReading
from spacrd_core.cohort.modalities import view_of
from spacrd_core.cohort.options import CohortOptions
from spacrd_core.cohort.scaling import Scale
from spacrd_core.cohort.section_data import SectionData
from spacrd_core.cohort.smoothing import neighbourhood_means
from spacrd_core.errors import DetectorError
from spacrd_core.genes.expression import Expression
from spacrd_core.genes.panel import choose_panel, coverage, on_panel, panel_ids
from spacrd_core.genes.species import one_species, require_species
from spacrd_core.section.geometry import neighbours

FEWEST_GENES, SMALL_SHARE = 100, 0.1  # of a panel: fewer tell too little
FACTOR_GENES = 8000  # what factors know; a target's few genes are seldom among the most variable


@dataclass(frozen=True)
class Lens:
    """What a detector reads of any section.

    Genes are log-normalised and standardised per section, because chemistry shifts between sections more than tissue
    does within one. Embeddings are standardised by the training patients: a section full of tumour stays apart from a
    healthy one, so that probabilities mean the same on both.

    Attributes
    ----------
    panel
        Gene symbols in order; empty for an image-only detector.
    image_scale
        The scale of the training patients' embeddings; None for a genes-only detector.
    panel_ids
        The genes' Ensembl ids, '' where no training section had one; or nothing.
    species
        What the training sections are of, '' where their genes do not tell.
    """

    options: CohortOptions
    panel: tuple[str, ...]
    image_scale: Scale | None = None
    panel_ids: tuple[str, ...] = ()
    species: str = ""
    factors: GeneFactors | None = None

    @classmethod
    def fit(cls, sections: Sequence[SectionData], options: CohortOptions) -> Self:
        """Choose the panel, and fit the factors, on these sections alone."""
        expressions = [section.expression for section in sections if section.expression is not None]
        species = one_species({s.id: s.expression.species for s in sections if s.expression is not None})
        panel = choose_panel(expressions, options.panel_genes) if expressions else ()
        if expressions and options.gene_factors:
            panel += tuple(sorted(set(choose_panel(expressions, FACTOR_GENES)) - set(panel)))
        by_patient = [
            np.concatenate([s.image for s in sections if s.patient == patient and s.image is not None])
            for patient in sorted({s.patient for s in sections if s.image is not None})
        ]
        scale = Scale.of(by_patient) if by_patient else None
        lens = cls(options, panel, scale, panel_ids(expressions, panel), species)
        return replace(lens, factors=lens._fit_factors(sections)) if panel and options.gene_factors else lens

    def _fit_factors(self, sections: Sequence[SectionData]) -> GeneFactors:
        means = [self._gene_means(s, s.expression, centred=False)[0] for s in sections if s.expression is not None]
        return GeneFactors.fit(means, factors=self.options.gene_factors, neighbours=self.options.neighbours)

    def _gene_means(
        self, section: SectionData, expression: Expression, *, centred: bool
    ) -> tuple[LinearOperator, Bool[Array, " genes"]]:
        """Neighbourhood means of the genes that a section measures, standardised, and which of the panel those are."""
        values, measured = on_panel(expression, self.panel, self.panel_ids)
        reading = PanelReading(np.ones(values.shape[1], dtype=bool), centred)
        rows = GeneRows(values, measured, Scale.of_sparse(values), reading)
        return neighbourhood_means(rows, *map(torch.from_numpy, self.around(section))), measured

    def kinship(self, section: SectionData) -> float:
        """How far a section's genes go together as in training: 1 is by chance; infinite where that is not known."""
        if self.factors is None or section.expression is None:
            return np.inf
        return self.factors.kinship(*self._gene_means(section, section.expression, centred=True))

    @property
    def genes_read(self) -> int:
        """How many genes a head reads: the panel, or of a longer one that has factors, its first."""
        return len(self.panel) if self.factors is None else min(self.options.panel_genes, len(self.panel))

    @property
    def image_dim(self) -> int:
        """The width of an embedding; 0 where images are not read."""
        return 0 if self.image_scale is None else len(self.image_scale.offset)

    @property
    def dims(self) -> Dims:
        """The widths a head is built for."""
        return Dims(genes=self.genes_read, image=self.image_dim)

    def view(self, section: SectionData) -> str:
        """What it reads of a section, as in :mod:`spacrd_core.cohort.modalities`; '' where that is nothing.

        Raises
        ------
        DetectorError
            If the section is of another species.
        """
        return view_of(
            genes=self._covered(section) >= self.fewest_genes,
            image=self.image_scale is not None and section.image is not None,
        )

    def shortage(self, section: SectionData) -> str:
        """How a section's genes fall short of being read; '' where they do not, or there are none."""
        found, panel = self._covered(section), len(self.panel)
        if section.expression is None or not panel or found >= self.fewest_genes:
            return ""
        return f"it measures {found} of the detector's {panel} genes, {self.fewest_genes} are needed"

    def _covered(self, section: SectionData) -> int:
        """How many genes of the panel a section measures."""
        if section.expression is None or not self.panel:
            return 0
        require_species(section.id, section.expression.species, self.species)
        return coverage(section.expression, self.panel, self.panel_ids).measured

    @property
    def fewest_genes(self) -> int:
        """So many genes of the panel are to be measured for genes to be read."""
        return max(1, min(FEWEST_GENES, round(SMALL_SHARE * len(self.panel))))

    def around(self, section: SectionData) -> tuple[Int[Array, "spots k"], Bool[Array, "spots k"]]:
        """The neighbourhood of every spot: indices, itself first, and which of them are there."""
        radius_um = self.options.radius_pitches * section.pitch_um
        return neighbours(section.xy_um, k=self.options.neighbours, radius_um=radius_um)

    def genes(self, section: SectionData) -> Float[Array, "spots genes"] | None:
        """The section's expression on the panel, standardised; None where either side has none, or the section few."""
        rows = self.gene_rows(section)
        return None if rows is None else rows[:].numpy()

    def gene_rows(self, section: SectionData) -> GeneRows | None:
        """The same, dense in those spots only that are asked for."""
        if section.expression is None or self._covered(section) < self.fewest_genes:
            return None
        values, measured = on_panel(section.expression, self.panel, self.panel_ids)
        scale = Scale.of_sparse(values) if self.options.gene_scale == "spread" else Scale.range_of_sparse(values)
        return GeneRows(values, measured, scale, self._reading(measured))

    def _reading(self, measured: Bool[Array, " genes"]) -> GeneReading:
        centred = self.options.gene_centring
        if self.factors is None:
            return PanelReading(measured, centred)
        return self.factors.reading(measured, genes=self.genes_read, centred=centred)

    def image(self, section: SectionData) -> Float[Array, "spots dim"] | None:
        """The section's embeddings, standardised; None where either side has no image."""
        if section.image is None or self.image_scale is None:
            return None
        if section.image.shape[1] != self.image_dim:
            raise DetectorError(
                f"section '{section.id}' has {section.image.shape[1]} numbers a patch, the detector {self.image_dim}",
                hint="embed it with the detector's encoder",
            )
        return self._image_scale(section.image, self.image_scale)(section.image)

    def _image_scale(self, values: Float[Array, "spots dim"], training: Scale) -> Scale:
        match self.options.image_scale:
            case "section":
                return Scale.of([values])
            case "range":
                return Scale.range_of(values)
            case _:
                return training
