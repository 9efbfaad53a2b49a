"""Read what copy number says of a section."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from spacrd_core.copy_number.comparison import Comparison, find_copy_number
from spacrd_core.copy_number.result import CopyNumber
from spacrd_core.copy_number.spots import score_spots
from spacrd_core.prior.section_genes import SectionGenes

if TYPE_CHECKING:
    import pandas as pd
    from jaxtyping import Float

    from spacrd_core.arrays import Array
    from spacrd_core.cohort.section_data import SectionData


@dataclass(frozen=True, eq=False)
class CopyNumberReading:
    """What copy number says of a section and of its spots; spots are NaN where the section shows no change at all."""

    section: CopyNumber
    spots: Float[Array, " spots"]

    def attach(self, table: pd.DataFrame) -> None:
        """Store the result in a spot table, with one value a spot in the column ``copy_number``."""
        self.section.attach(table)
        table["copy_number"] = self.spots


def read_copy_number(
    section: SectionData,
    detector_score: Float[Array, " spots"] | None = None,
    *,
    genes: SectionGenes | None = None,
) -> CopyNumberReading:
    """Return what copy number says of a section, and of each of its spots.

    ``detector_score`` is the score of a detector that disagrees with what the section says of itself: the same test is
    then done for the tissue that the detector finds. ``genes`` are those of the section, if they are prepared already.
    """
    comparison, result = _compare(section)
    spots = np.full(len(section.spot_ids), np.nan)
    genes = genes or SectionGenes.of(section)
    if comparison and genes:
        if detector_score is not None:
            of_detector = find_copy_number(genes.expression, Comparison.from_score(genes.expression, detector_score))
            result = replace(result, detector_z=of_detector.z)
        if result.verdict in {"supported", "unclear"}:
            spots = score_spots(genes, comparison)
    return CopyNumberReading(result, spots)


def section_copy_number(section: SectionData) -> CopyNumber:
    """Return what copy number says of the tissue that is tumour-like by what the section says of itself."""
    return _compare(section)[1]


def _compare(section: SectionData) -> tuple[Comparison | None, CopyNumber]:
    expression, evidence = section.expression, section.evidence
    if expression is None:
        return None, CopyNumber(unknown_reason="the section has no genes")
    if not expression.species.may_be_human:
        return None, CopyNumber(unknown_reason="its genes are not human, or of several species")
    if evidence is None or evidence.genes is None:
        return None, CopyNumber(unknown_reason="no gene that tells tumour-like tissue is measured")
    comparison = Comparison.from_score(expression, evidence.genes)
    return comparison, find_copy_number(expression, comparison)
