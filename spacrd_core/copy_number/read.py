"""Read what copy number says of a section."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from spacrd_core.copy_number.comparison import Comparison, find_copy_number
from spacrd_core.copy_number.result import CopyNumber
from spacrd_core.copy_number.spots import score_spots

if TYPE_CHECKING:
    import pandas as pd
    from jaxtyping import Float

    from spacrd_core.arrays import Array
    from spacrd_core.cohort.section_data import SectionData
    from spacrd_core.genes.expression import Expression


@dataclass(frozen=True, eq=False)
class CopyNumberReading:
    """What copy number says of a section and of its spots; spots are NaN where the section shows no change at all."""

    section: CopyNumber
    spots: Float[Array, " spots"]

    def attach(self, table: pd.DataFrame) -> None:
        """Store the result in a spot table, with one value a spot in the column ``copy_number``."""
        self.section.attach(table)
        table["copy_number"] = self.spots


def read_copy_number(section: SectionData, detector_score: Float[Array, " spots"] | None = None) -> CopyNumberReading:
    """Return what copy number says of the tissue that is tumour-like by what the section says of itself.

    ``detector_score`` is the score of a detector that disagrees with it: the same test is then done for the tissue that
    the detector finds.
    """
    unknown = np.full(len(section.spot_ids), np.nan)
    expression, evidence = section.expression, section.evidence
    if expression is None or not expression.species.may_be_human:
        reason = "the section has no genes" if expression is None else "its genes are not human"
        return CopyNumberReading(CopyNumber(unknown_reason=reason), unknown)
    if evidence is None or evidence.genes is None:
        return CopyNumberReading(
            CopyNumber(unknown_reason="no gene that tells tumour-like tissue is measured"), unknown
        )
    comparison = Comparison.of(expression, evidence.genes)
    found = find_copy_number(expression, comparison)
    if detector_score is not None:
        found = replace(found, detector_z=_z(expression, detector_score))
    if found.verdict in {"supported", "unclear"}:
        return CopyNumberReading(found, score_spots(expression, comparison, section.xy_um, section.pitch_um))
    return CopyNumberReading(found, unknown)


def _z(expression: Expression, score: Float[Array, " spots"]) -> float:
    return find_copy_number(expression, Comparison.of(expression, score)).z
