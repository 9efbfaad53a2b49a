"""How genes differ between tumour-like tissue and the rest, beyond what length, surroundings and level explain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
from scipy.stats import median_abs_deviation
from sklearn.linear_model import HuberRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

from spacrd_core.copy_number.positions import human_positions

if TYPE_CHECKING:
    from jaxtyping import Float, Int

    from spacrd_core.arrays import Array
    from spacrd_core.copy_number.genes import PlacedGenes
    from spacrd_core.copy_number.pools import Pools
    from spacrd_core.genes.expression import Expression

MAX_RESIDUAL_MADS = 2.5  # median absolute deviations: single genes must not make an arm
MIN_VARIANCE = 0.02  # of genes, for other reasons than copy number and counting


@dataclass(frozen=True, eq=False)
class GeneProfile:
    """What explains the log2 ratio of each gene, and how far the rest of it counts.

    Attributes
    ----------
    explained
        The log2 ratio that length, surroundings and level of a gene explain.
    limit
        The largest deviation from it that counts.
    weights
        Inverse variance of each gene.
    """

    genes: PlacedGenes
    explained: Float[Array, " genes"]
    limit: float
    weights: Float[Array, " genes"]

    @classmethod
    def fit(cls, expression: Expression, pools: Pools, genes: PlacedGenes) -> Self:
        """Return the profile of two pools over some genes."""
        ratio = log2_ratio(pools)[genes.columns]
        explained = explain(expression, genes, ratio)
        sampling = (pools.tumour_like.variance[genes.columns] + pools.rest.variance[genes.columns]) / np.log(2) ** 2
        return cls(
            genes=genes,
            explained=explained,
            limit=float(MAX_RESIDUAL_MADS * median_abs_deviation(ratio - explained, scale="normal")),
            weights=1 / (max(MIN_VARIANCE, ratio.var() - np.median(sampling)) + sampling),
        )

    def deviations(self, ratio: Float[Array, " all"]) -> Float[Array, " genes"]:
        """Return what is left of the log2 ratio of all genes: limited, and with weighted mean 0."""
        residual = np.clip(ratio[self.genes.columns] - self.explained, -self.limit, self.limit)
        return np.asarray(residual - np.average(residual, weights=self.weights))

    def means(self, deviations: Float[Array, " genes"], block: Int[Array, " genes"]) -> Float[Array, " blocks"]:
        """Return the weighted mean of every block of genes."""
        return np.asarray(np.bincount(block, self.weights * deviations) / np.bincount(block, self.weights))


def log2_ratio(pools: Pools, left_out: int | None = None) -> Float[Array, " all"]:
    """Return log2 of every gene's share in tumour-like tissue over its share in the rest; not finite without counts."""
    with np.errstate(invalid="ignore"):
        return pools.tumour_like.log2_share(left_out) - pools.rest.log2_share(left_out)


def explain(expression: Expression, genes: PlacedGenes, values: Float[Array, " genes"]) -> Float[Array, " genes"]:
    """Return the part of values that a robust quadratic regression on properties of the genes explains.

    The properties are the logarithms of length, of the number of genes within 1 Mb, and of mean expression. Without the
    regression normal acini and hearts would seem to have gained arms: cell types differ in long and in crowded genes.
    """
    positions = human_positions()
    level = expression.moments.mean[genes.columns]
    properties = np.log(np.stack([positions.length[genes.rows], positions.nearby[genes.rows], level], axis=1))
    regression = make_pipeline(
        StandardScaler(), PolynomialFeatures(2, include_bias=False), HuberRegressor(alpha=0.0, max_iter=1000)
    )
    return np.asarray(regression.fit(properties, values).predict(properties))
