"""A section as a detector reads it, prepared once."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from scipy import sparse
from scipy.sparse.linalg import LinearOperator

from spacrd_core.arrays import Array
from spacrd_core.cohort.device_matrix import CPU
from spacrd_core.cohort.gene_factors import GeneFactors
from spacrd_core.cohort.gene_rows import LazyExpression, PanelProjection
from spacrd_core.cohort.modalities import join_modalities
from spacrd_core.cohort.neighbourhood_means import NeighbourhoodMeans
from spacrd_core.cohort.scaling import Scaler
from spacrd_core.cohort.section_data import SectionData
from spacrd_core.genes.moments import Moments


@dataclass(frozen=True, eq=False)
class AlignedSection:
    """A section with its genes aligned to a panel, and the neighbourhood of every spot.

    Attributes
    ----------
    section
        The section as loaded from the store.
    expression
        Log-normalised expression (CSR) with the panel genes that the section measures; None without genes.
    measured
        Which genes of the panel the section measures.
    neighbours, present
        Indices of each spot's neighbours, the spot first, and which of them exist; absent ones are padding.
    moments
        Of the panel genes, if they are known already.
    columns
        The columns of the panel genes in ``expression``; None if it has no others.
    """

    section: SectionData
    expression: sparse.csr_matrix[Any] | None
    measured: Bool[Array, " genes"]
    neighbours: Int[Array, "spots k"]
    present: Bool[Array, "spots k"]
    moments: Moments | None = None
    columns: Int[Array, " measured"] | None = None

    @cached_property
    def gene_scaler(self) -> Scaler:
        """The section's own scaling of its measured genes to mean 0 and standard deviation 1."""
        return Scaler.from_moments(self.gene_moments)

    @cached_property
    def gene_moments(self) -> Moments:
        """The mean and mean square of the measured panel genes."""
        return self.moments or Moments.of(self.panel_expression)

    @property
    def panel_expression(self) -> sparse.csr_matrix[Any]:
        """Log-normalised expression of the panel genes alone."""
        if self.expression is None:
            raise ValueError(f"section '{self.section.id}' has no genes")
        return self.expression if self.columns is None else self.expression[:, self.columns]

    def gene_means(self, *, centred: bool, device: torch.device = CPU) -> LinearOperator:
        """Return the neighbourhood means of the measured genes, standardised (spots x measured genes).

        ``centred`` subtracts each spot's mean over its genes.
        """
        if self.expression is None:
            raise ValueError(f"section '{self.section.id}' has no genes")
        every_gene = np.ones(self.measured.sum(), dtype=bool)
        genes = LazyExpression(
            self.expression,
            self.measured,
            self.gene_scaler,
            PanelProjection(every_gene, centred=centred),
            self.columns,
        )
        return NeighbourhoodMeans.of(genes, self.neighbours, self.present).operator(device)


@dataclass(frozen=True, eq=False)
class PreparedSection:
    """A section as a detector reads it; training, scoring, label shift and attribution all use it.

    Attributes
    ----------
    aligned
        The section with its genes aligned to the detector's panel.
    genes
        Expression as a head reads it; None if too few panel genes are measured.
    image
        Scaled embeddings (spots x dim); None if the section or the detector has no image.
    min_genes
        The number of panel genes that must be measured for genes to be read.
    factors
        The gene factors of the training sections, if the detector has them.
    """

    aligned: AlignedSection
    genes: LazyExpression | None
    image: Float[Array, "spots dim"] | None
    min_genes: int
    factors: GeneFactors | None

    @property
    def section(self) -> SectionData:
        """The section as loaded from the store."""
        return self.aligned.section

    @property
    def modalities(self) -> str:
        """The section's modalities that the detector reads (:mod:`spacrd_core.cohort.modalities`); '' if none."""
        return join_modalities(genes=self.genes, image=self.image)

    @property
    def means(self) -> dict[str, NeighbourhoodMeans]:
        """The neighbourhood means of each modality that the detector reads."""
        features = {"genes": self.genes, "image": self.image}
        return {
            name: NeighbourhoodMeans.of(values, self.aligned.neighbours, self.aligned.present)
            for name, values in features.items()
            if values is not None
        }

    @property
    def missing_genes(self) -> str:
        """Why the section's genes are not read; '' if they are, or if section or detector has none."""
        panel, measured = self.aligned.measured.size, int(self.aligned.measured.sum())
        if self.aligned.expression is None or not panel or measured >= self.min_genes:
            return ""
        return f"it measures {measured} of the detector's {panel} genes, and {self.min_genes} are needed"

    @cached_property
    def factor_agreement(self) -> float:
        """How well genes covary as in training; 1 is chance level, infinite if unknown (see :class:`GeneFactors`)."""
        if self.factors is None or self.aligned.expression is None:
            return np.inf
        return self.factors.agreement(self.aligned.gene_means(centred=True), self.aligned.measured)
