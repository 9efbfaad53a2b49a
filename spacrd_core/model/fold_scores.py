"""Out-of-fold scores as one process sends them to another: without the section's data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from spacrd_core.model.cross_validation import OutOfFold

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spacrd_core.arrays import Array
    from spacrd_core.cohort.section_data import SectionData
    from spacrd_core.model.label_shift import Mixture


@dataclass(frozen=True)
class FoldScores:
    """The scores of a section, which is named by its id."""

    section: str
    logits: dict[str, dict[str, Array]]
    combined: dict[str, dict[str, Array]]
    as_read: Array | None
    mixtures: tuple[Mixture, ...]

    @classmethod
    def from_fold(cls, fold: OutOfFold) -> Self:
        """Return the scores of a section."""
        return cls(fold.section.id, fold.logits, fold.combined, fold.as_read, fold.mixtures)

    def with_data(self, sections: Mapping[str, SectionData]) -> OutOfFold:
        """Return the scores with the data of the section, which is found by its id."""
        return OutOfFold(sections[self.section], self.logits, self.combined, self.as_read, self.mixtures)
