"""Preprocessing of sections, fitted on the training sections and equal for every section a detector reads."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import torch
from jaxtyping import Bool, Float

from spacrd_core.arrays import Array
from spacrd_core.cohort.batch import Dims
from spacrd_core.cohort.device_matrix import CPU
from spacrd_core.cohort.gene_factors import GeneFactors
from spacrd_core.cohort.gene_rows import GeneProjection, LazyExpression, PanelProjection
from spacrd_core.cohort.options import CohortOptions
from spacrd_core.cohort.prepared import AlignedSection, PreparedSection
from spacrd_core.cohort.scaling import Scaler
from spacrd_core.cohort.section_data import SectionData
from spacrd_core.errors import DetectorError
from spacrd_core.genes.expression import MISSING, renormalise
from spacrd_core.genes.panel import most_variable, panel_columns, panel_ids
from spacrd_core.genes.species import common_species, require_species
from spacrd_core.section.geometry import neighbours

MIN_GENES, MIN_PANEL_SHARE = 100, 0.1  # fewer measured panel genes carry too little information
FACTOR_GENES = 8000  # genes with factors; genes of a small targeted panel are seldom among the most variable


@dataclass(frozen=True)
class Preprocessor:
    """The preprocessing of any section for one detector.

    Genes are log-normalised and standardised per section, because chemistry shifts more between sections than tissue
    does within one. Embeddings are standardised by the training patients: a section full of tumour then differs from a
    healthy one, so that probabilities are comparable between sections.

    Attributes
    ----------
    panel
        Gene symbols in order; empty for an image-only detector.
    image_scaler
        The scaling of the training patients' embeddings; None for a genes-only detector.
    panel_ids
        The genes' Ensembl ids, '' where no training section has one; or empty.
    species
        The species of the training sections, '' if their genes do not determine it.
    factors
        The gene factors of the training sections; None without ``gene_factors``.
    """

    options: CohortOptions
    panel: tuple[str, ...]
    image_scaler: Scaler | None = None
    panel_ids: tuple[str, ...] = ()
    species: str = ""
    factors: GeneFactors | None = None

    @classmethod
    def fit(cls, sections: Sequence[SectionData], options: CohortOptions) -> Self:
        """Return the preprocessing fitted on these sections alone."""
        return cls.fit_transform(sections, options)[0]

    @classmethod
    def unfactored(cls, sections: Sequence[SectionData], options: CohortOptions) -> Self:
        """Return the preprocessing without gene factors, which need no alignment; its dimensions are final."""
        expressions = {section.id: section.expression for section in sections if section.expression is not None}
        species = common_species({name: expression.species for name, expression in expressions.items()})
        panel = _choose_genes(sections, options)
        return cls(options, panel, _fit_image_scaler(sections), panel_ids([*expressions.values()], panel), species)

    @classmethod
    def fit_transform(
        cls, sections: Sequence[SectionData], options: CohortOptions, *, device: torch.device = CPU
    ) -> tuple[Self, list[PreparedSection]]:
        """Fit the gene panel, gene factors and image scaling on these sections; return them with the prepared sections.

        Each section is aligned to the panel once. A GPU, if the device is one, computes the factors.
        """
        preprocessor = cls.unfactored(sections, options)
        aligned = [preprocessor.align(section, copy=False) for section in sections]
        if preprocessor.panel and options.gene_factors:
            preprocessor = replace(preprocessor, factors=_fit_factors(aligned, options, device))
        return preprocessor, [preprocessor.prepare(section) for section in aligned]

    def transform(self, section: SectionData) -> PreparedSection:
        """Return a section as the detector reads it.

        Raises
        ------
        DetectorError
            If the section is of another species, or its embeddings have another width.
        """
        return self.prepare(self.align(section))

    def restrict(self, prepared: PreparedSection, spots: Bool[Array, " spots"]) -> PreparedSection:
        """Return a prepared section as if only some of its spots had been measured; genes stay aligned."""
        section, expression = prepared.section.select_spots(spots), prepared.aligned.expression
        kept = None if expression is None else expression[np.flatnonzero(spots)]
        aligned = AlignedSection(
            section,
            kept,
            prepared.aligned.measured,
            *self._neighbourhoods(section),
            columns=prepared.aligned.columns,
        )
        return self.prepare(aligned, projection=prepared.genes.projection if prepared.genes else None)

    @property
    def genes_read(self) -> int:
        """The number of genes a head reads: the panel, without the factor genes at its end."""
        return min(self.options.panel_genes, len(self.panel))

    @property
    def image_dim(self) -> int:
        """The width of an embedding; 0 without images."""
        return 0 if self.image_scaler is None else len(self.image_scaler.offset)

    @property
    def dims(self) -> Dims:
        """The feature widths a head is built for."""
        return Dims(genes=self.genes_read, image=self.image_dim)

    @property
    def min_genes(self) -> int:
        """The number of panel genes that a section must measure for its genes to be read."""
        return max(1, min(MIN_GENES, round(MIN_PANEL_SHARE * len(self.panel))))

    def align(self, section: SectionData, *, copy: bool = True) -> AlignedSection:
        """Return a section with its genes aligned to the panel, before any fitted part is applied.

        A copy of the panel genes is read faster; without, many sections need no memory besides their own.
        """
        neighbourhoods = self._neighbourhoods(section)
        if section.expression is None or not self.panel:
            return AlignedSection(section, None, np.zeros(len(self.panel), dtype=bool), *neighbourhoods)
        require_species(section.id, section.expression.species, self.species)
        expression, columns = section.expression, panel_columns(section.expression, self.panel, self.panel_ids)
        measured = columns != MISSING
        columns = columns[measured]
        if self.options.library == "panel":
            values = renormalise(expression.values[:, columns])
            return AlignedSection(section, values, measured, *neighbourhoods)
        moments = expression.moments.select(columns)
        if copy:
            return AlignedSection(section, expression.values[:, columns], measured, *neighbourhoods, moments)
        return AlignedSection(section, expression.values, measured, *neighbourhoods, moments, columns)

    def _neighbourhoods(self, section: SectionData) -> tuple[Array, Array]:
        """The indices of every spot's neighbours, the spot first, and which of them exist."""
        radius_um = self.options.radius_pitches * section.pitch_um
        return neighbours(section.xy_um, k=self.options.neighbours, radius_um=radius_um)

    def prepare(self, aligned: AlignedSection, *, projection: GeneProjection | None = None) -> PreparedSection:
        """Return an aligned section as the detector reads it; ``projection`` is that of its genes, if it is known."""
        genes, image = self._read_genes(aligned, projection), self._read_image(aligned.section)
        return PreparedSection(aligned, genes, image, self.min_genes, self.factors)

    def _read_genes(self, aligned: AlignedSection, projection: GeneProjection | None) -> LazyExpression | None:
        if aligned.expression is None or aligned.measured.sum() < self.min_genes:
            return None
        by_range = self.options.gene_scale == "range"
        scaler = Scaler.fit_minmax_sparse(aligned.panel_expression) if by_range else aligned.gene_scaler
        projection = projection or self._projection(aligned.measured)
        return LazyExpression(aligned.expression, aligned.measured, scaler, projection, aligned.columns)

    def _projection(self, measured: Bool[Array, " genes"]) -> GeneProjection:
        centred = self.options.gene_centring
        if self.factors is None:
            return PanelProjection(measured, centred)
        return self.factors.projection(measured, genes=self.genes_read, centred=centred)

    def _read_image(self, section: SectionData) -> Float[Array, "spots dim"] | None:
        if section.image is None or self.image_scaler is None:
            return None
        if section.image.shape[1] != self.image_dim:
            raise DetectorError(
                f"the embeddings of section '{section.id}' have {section.image.shape[1]} dimensions, "
                f"but the detector reads {self.image_dim}",
                hint="embed the section with the detector's encoder",
            )
        match self.options.image_scale:
            case "section":
                scaler = Scaler.fit([section.image])
            case "range":
                scaler = Scaler.fit_minmax(section.image)
            case _:
                scaler = self.image_scaler
        return scaler(section.image)


def _choose_genes(sections: Sequence[SectionData], options: CohortOptions) -> tuple[str, ...]:
    """Choose the most variable genes, followed by further genes that only the factors use."""
    expressions = [section.expression for section in sections if section.expression is not None]
    ranked = most_variable(expressions) if expressions else []
    panel = sorted(ranked[: options.panel_genes])
    if options.gene_factors:
        panel += sorted(set(ranked[:FACTOR_GENES]) - set(panel))
    return tuple(panel)


def _fit_image_scaler(sections: Sequence[SectionData]) -> Scaler | None:
    """Fit the scaling of embeddings to the patients, each weighted equally."""
    by_patient = [
        np.concatenate([s.image for s in sections if s.patient == patient and s.image is not None])
        for patient in sorted({s.patient for s in sections if s.image is not None})
    ]
    return Scaler.fit(by_patient) if by_patient else None


def _fit_factors(aligned: Sequence[AlignedSection], options: CohortOptions, device: torch.device) -> GeneFactors:
    means = [section.gene_means(centred=False, device=device) for section in aligned if section.expression is not None]
    return GeneFactors.fit(means, factors=options.gene_factors, neighbours=options.neighbours)
