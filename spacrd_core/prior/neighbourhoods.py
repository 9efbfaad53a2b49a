"""Spots and their neighbours, as a section's own evidence averages over them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from spacrd_core.cohort.neighbourhood_means import NeighbourhoodMeans
from spacrd_core.prior.standardise import correlation
from spacrd_core.section.geometry import neighbours

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, Int

    from spacrd_core.arrays import Array
    from spacrd_core.cohort.gene_rows import LazyExpression

NEIGHBOURS, RADIUS_PITCHES = 9, 1.6  # the spot itself and its neighbours on a square lattice


@dataclass(frozen=True)
class Neighbourhoods:
    """For every spot its neighbours, itself first, and which of them exist."""

    indices: Int[Array, "spots k"]
    present: Bool[Array, "spots k"]

    @classmethod
    def of(cls, xy_um: Float[Array, "spots 2"], pitch_um: float) -> Neighbourhoods:
        """Return the neighbourhoods of a section's spots."""
        return cls(*neighbours(xy_um, k=NEIGHBOURS, radius_um=RADIUS_PITCHES * pitch_um))

    def means(self, values: Float[Array, "spots d"]) -> Float[Array, "spots d"]:
        """Return the mean of values over every spot's neighbourhood."""
        weights = self.present / self.present.sum(axis=1, keepdims=True)
        return np.asarray(np.einsum("sk,sk...->s...", weights, values[self.indices]))

    def averaged(self, genes: LazyExpression) -> NeighbourhoodMeans:
        """Return the means of genes over every spot's neighbourhood, which are never dense."""
        return NeighbourhoodMeans.of(genes, self.indices, self.present)

    def structure(self, values: Float[Array, " spots"]) -> float:
        """Return the correlation of spots with the mean of their neighbours, near 0 without spatial structure."""
        others = self.present.copy()
        others[:, 0] = False
        count = others.sum(axis=1)
        means = (values[self.indices] * others).sum(axis=1) / np.maximum(count, 1)
        return correlation(values[count > 0], means[count > 0])
