"""The genes of a section that have a place in the genome and enough counts in both pools."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Self

import numpy as np

from spacrd_core.copy_number.positions import UNPLACED, human_positions

if TYPE_CHECKING:
    from jaxtyping import Int

    from spacrd_core.arrays import Array
    from spacrd_core.copy_number.pools import Pools
    from spacrd_core.genes.expression import Expression

MIN_COUNTS, MIN_COUNTS_A_SIDE = 20, 3  # effective counts: fewer give no usable ratio
MIN_ARM_GENES = 20
RUN_GENES = 100  # about; an arm has one to nine runs


@dataclass(frozen=True, eq=False)
class PlacedGenes:
    """Genes sorted by position, and the blocks they form.

    Attributes
    ----------
    columns, rows
        Of each gene in the expression, and in the table of positions.
    """

    columns: Int[Array, " genes"]
    rows: Int[Array, " genes"]

    @classmethod
    def select(cls, expression: Expression, pools: Pools) -> Self:
        """Return the usable genes of a section on arms that have at least 20 of them."""
        rows = human_positions().rows_of(expression)
        counts = np.stack([pools.tumour_like.effective, pools.rest.effective])
        usable = (rows != UNPLACED) & (counts.sum(axis=0) >= MIN_COUNTS) & (counts.min(axis=0) >= MIN_COUNTS_A_SIDE)
        columns = np.flatnonzero(usable)
        rows, first = np.unique(rows[columns], return_index=True)
        _, arm, sizes = np.unique(human_positions().arm[rows], return_inverse=True, return_counts=True)
        large = sizes[arm] >= MIN_ARM_GENES
        return cls(columns[first][large], rows[large])

    @cached_property
    def arm(self) -> Int[Array, " genes"]:
        """The arm of each gene, numbered along the genome."""
        return _block_numbers(self._arms)

    @cached_property
    def run(self) -> Int[Array, " genes"]:
        """The run of neighbouring genes within an arm, numbered along the genome."""
        return _block_numbers(
            [run for arm in self._arms for run in np.array_split(arm, max(1, round(len(arm) / RUN_GENES)))]
        )

    @property
    def arm_names(self) -> list[str]:
        """The names of the arms, along the genome."""
        return [str(human_positions().arm[self.rows[genes[0]]]) for genes in self._arms]

    @cached_property
    def _arms(self) -> list[Int[Array, " genes"]]:
        names = human_positions().arm[self.rows]
        return np.split(np.arange(len(names)), np.flatnonzero(names[1:] != names[:-1]) + 1) if len(names) else []


def _block_numbers(blocks: list[Int[Array, " genes"]]) -> Int[Array, " genes"]:
    return np.repeat(np.arange(len(blocks)), [len(genes) for genes in blocks])
