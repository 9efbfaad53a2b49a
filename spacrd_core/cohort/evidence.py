"""What a section says of itself, without any label; :mod:`spacrd_core.prior` reads it from the counts and the H&E."""

from dataclasses import dataclass, field, replace
from typing import Literal, Self

import numpy as np
from jaxtyping import Float

from spacrd_core.arrays import Array

EpitheliumAnswer = Literal["present", "none", "unknown"]


@dataclass(frozen=True)
class Epithelium:
    """Whether a section has epithelium, the tissue that carcinomas grow from.

    Attributes
    ----------
    answer
        ``present``, ``none``, or ``unknown`` if the genes that tell are not measured.
    log2_ratio, error
        log2 of the epithelial genes' mean share of counts over that of genes of the cell's own upkeep, and its standard
        error from genes that are not measured; NaN if unknown.
    measured, listed
        How many of the epithelial genes are measured, and how many there are.
    """

    answer: EpitheliumAnswer = "unknown"
    log2_ratio: float = np.nan
    error: float = np.nan
    measured: int = 0
    listed: int = 0


@dataclass(frozen=True)
class TumourAmount:
    """Two properties of a section that go with how much of it is tumour; NaN if unknown.

    Attributes
    ----------
    expression
        Mean log expression of the positive gene lists less that of the negative ones.
    expression_error
        Its standard error from genes that are not measured.
    correlation
        Mean correlation of the maps of positive lists with those of negative lists: where tumour is, they part.
    """

    expression: float = np.nan
    expression_error: float = np.nan
    correlation: float = np.nan

    @property
    def known(self) -> bool:
        """Whether both properties are known."""
        return bool(np.isfinite([self.expression, self.expression_error, self.correlation]).all())


@dataclass(frozen=True, eq=False)
class SectionEvidence:
    """What a section says of itself, by the gene lists of one kind of tumour.

    Attributes
    ----------
    genes
        For every spot how tumour-like its genes are (mean 0, standard deviation 1); None without genes.
    image
        The same from the H&E: dense in tissue and nuclei; None without an image.
    loadings
        Weight of every measured gene in ``genes``, before averaging over like tissue; None without genes.
    structure
        By modality: the correlation of a spot with its neighbours, near 0 if the measurement shows no tissue.
    """

    genes: Float[Array, " spots"] | None = None
    image: Float[Array, " spots"] | None = None
    loadings: Float[Array, " genes"] | None = None
    amount: TumourAmount = field(default_factory=TumourAmount)
    epithelium: Epithelium = field(default_factory=Epithelium)
    structure: dict[str, float] = field(default_factory=dict)

    def select(self, *, genes: bool, image: bool) -> Self:
        """Return the evidence of some modalities alone."""
        kept = self if image else replace(self, image=None)
        if genes:
            return kept
        return replace(kept, genes=None, loadings=None, amount=TumourAmount(), epithelium=Epithelium())
