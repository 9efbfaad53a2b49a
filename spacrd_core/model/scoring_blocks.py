"""The spots of a section as heads score them: in blocks of one size, whatever memory a call may take.

The shape of a matrix product decides the order of its sums, so the last bits of a score depend on the number of spots
that are scored together. That number is therefore no choice of the user's.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Self

from jaxtyping import Int
from torch import Tensor

from spacrd_core.cohort.batch import Batch
from spacrd_core.cohort.cohort import Cohort

BLOCK: Final = 1024  # spots

ScoredBlock = tuple[Int[Tensor, " centres"], Batch]


@dataclass(frozen=True, eq=False)
class ScoringBlocks:
    """The blocks of a cohort, which every head goes through.

    Blocks that are not ``kept`` become dense anew each time: this takes less memory and gives the same bits.
    """

    cohort: Cohort
    kept: tuple[ScoredBlock, ...] | None = None

    @classmethod
    def of(cls, cohort: Cohort, batch_size: int) -> Self:
        """Return the blocks of a cohort, kept if it has at most ``batch_size`` spots."""
        blocks = cls(cohort)
        return cls(cohort, tuple(blocks)) if len(cohort) <= batch_size else blocks

    def __iter__(self) -> Iterator[ScoredBlock]:
        return self.cohort.iterate_blocks(BLOCK) if self.kept is None else iter(self.kept)
