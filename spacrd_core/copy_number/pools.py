"""Counts of a section's tumour-like spots and of the rest, summed gene by gene."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from scipy import sparse

from spacrd_core.genes.expression import TARGET_SUM

if TYPE_CHECKING:
    from jaxtyping import Float, Int

    from spacrd_core.arrays import Array
    from spacrd_core.genes.expression import Expression

GROUPS = 30  # of spots, each left out once to tell how far a result depends on single spots
MIN_GROUP_COUNTS = 0.5  # a pool without any count of a gene has no logarithm


@dataclass(frozen=True, eq=False)
class Pool:
    """Weighted counts of one side of the contrast.

    Attributes
    ----------
    counts
        By gene and group of spots.
    effective
        By gene: the number of equally weighted counts that would be as precise.
    """

    counts: Float[Array, "genes groups"]
    effective: Float[Array, " genes"]

    @property
    def variance(self) -> Float[Array, " genes"]:
        """The variance of the logarithm of every gene's counts, from counting alone."""
        return 1 / (self.effective + 0.5)

    def log2_share(self, left_out: int | None = None) -> Float[Array, " genes"]:
        """Return log2 of every gene's share of the pool, without one group of spots if that is asked for."""
        counts = self.counts.sum(axis=1)
        if left_out is not None:
            counts = np.maximum(counts - self.counts[:, left_out], MIN_GROUP_COUNTS)
        with np.errstate(divide="ignore"):
            return np.asarray(np.log2(counts / counts.sum()))


@dataclass(frozen=True, eq=False)
class Pools:
    """The two pools of a section: spots count as much as their contrast is above 0, or below."""

    tumour_like: Pool
    rest: Pool

    @classmethod
    def from_contrast(cls, expression: Expression, contrast: Float[Array, " spots"]) -> Self:
        """Return the pools of a contrast, above 0 where tissue is tumour-like."""
        values = expression.values
        genes = sparse.csr_matrix((np.expm1(values.data), values.indices, values.indptr), shape=values.shape).T
        group = np.random.default_rng(0).permutation(len(contrast)) % GROUPS
        depth = np.maximum(expression.totals, 1.0) / TARGET_SUM  # from counts per 10,000 back to counts
        return cls(*(_pool(genes, depth, np.maximum(side, 0.0), group) for side in (contrast, -contrast)))


def _pool(
    genes: sparse.csc_matrix[Any],
    depth: Float[Array, " spots"],
    weight: Float[Array, " spots"],
    group: Int[Array, " spots"],
) -> Pool:
    spots = np.flatnonzero(weight)
    chosen = sparse.csr_matrix(
        ((weight * depth)[spots], (spots, group[spots])), shape=(len(weight), GROUPS), dtype=np.float32
    )
    counts = (genes @ chosen).toarray().astype(np.float64)
    squares = genes @ (weight**2 * depth)
    total = counts.sum(axis=1)
    return Pool(counts, np.divide(total**2, squares, out=np.zeros_like(total), where=squares > 0))
