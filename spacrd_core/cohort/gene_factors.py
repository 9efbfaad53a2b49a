"""Gene factors of the training sections, which infer missing genes and reduce noise."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from jaxtyping import Bool, Float
from scipy.sparse.linalg import LinearOperator

from spacrd_core.arrays import Array

RESIDUAL_WEIGHT = 0.5  # weight of the part of a measured gene that the factors do not explain
OVERSAMPLING, ITERATIONS = 10, 5  # of the randomised decomposition (Halko, Martinsson and Tropp 2011)
MIN_NOISE = 1e-3
LEADING_FACTORS, RANDOM_DIRECTIONS = 5, 60
MIN_GENES_AGREEMENT = 20


@dataclass(frozen=True)
class GeneFactors:
    """A factor model of standardised genes: ``genes = factors @ loadings.T + noise``, with standard normal factors.

    ``noise`` is the variance of each gene's noise in the mean over a neighbourhood.
    """

    loadings: Float[Array, "genes k"]
    noise: Float[Array, " genes"]

    @classmethod
    def fit(cls, sections: Sequence[LinearOperator], *, factors: int, neighbours: int) -> Self:
        """Fit the factors to the sections' neighbourhood means, each section weighted equally.

        The operators are spots x genes, and each gene has unit variance within a spot. Neighbours share their tissue
        but not their noise, so the variation that remains in the neighbourhood mean is shared by genes.
        """
        genes = sections[0].shape[1]
        factors = min(factors, genes, sum(section.shape[0] for section in sections))
        start = np.random.default_rng(0).standard_normal((genes, min(factors + OVERSAMPLING, genes)))
        basis = np.linalg.qr(start.astype(np.float32))[0]
        for _ in range(ITERATIONS):
            product = _total(section.rmatmat(section @ basis) / section.shape[0] for section in sections)
            basis = np.linalg.qr(product)[0]
        projections = [(section @ basis).astype(np.float64) for section in sections]
        variance, axes = np.linalg.eigh(_total(x.T @ x / len(x) for x in projections) / len(sections))
        leading = slice(-1, -factors - 1, -1)
        loadings = (basis @ axes[:, leading]) * np.sqrt(np.maximum(variance[leading], 0.0))
        noise = np.maximum(1.0 - np.square(loadings).sum(axis=1), 0.0) / neighbours + MIN_NOISE
        return cls(loadings.astype(np.float32), noise.astype(np.float32))

    def projection(self, measured: Bool[Array, " genes"], *, genes: int, centred: bool) -> "FactorProjection":
        """Return the projection of a section that measures these genes to the first ``genes`` genes of the panel."""
        loadings = self.loadings[measured]
        weighted = loadings / self.noise[measured, None]
        code = np.linalg.solve(loadings.T @ weighted + np.eye(loadings.shape[1], dtype=np.float32), weighted.T).T
        residual = np.where(measured[:genes], np.float32(RESIDUAL_WEIGHT), np.float32(0.0))
        return FactorProjection(code, self.loadings[:genes] * (1 - residual)[:, None], measured[:genes], centred)

    def agreement(self, means: LinearOperator, measured: Bool[Array, " genes"]) -> float:
        """Return how well a section's genes covary as in training: variation along factors over random directions.

        ``means`` are neighbourhood means of the measured genes, with each spot's mean subtracted. The ratio is 1 if
        genes do not covary as in training, for example if they are misnamed, and 1.5 or more even for 200 genes of
        similar tissue. It is infinite for fewer than 20 genes, where five directions explain any variation.
        """
        if measured.sum() < MIN_GENES_AGREEMENT:
            return np.inf
        loadings = self.loadings[measured][:, :LEADING_FACTORS]
        axes = np.linalg.qr(loadings - loadings.mean(axis=0))[0]
        shape = (len(loadings), RANDOM_DIRECTIONS)
        random = np.random.default_rng(0).standard_normal(shape).astype(np.float32) / np.sqrt(len(loadings))
        along_factors, along_random = (np.square(means @ directions).mean() for directions in (axes, random))
        return float(along_factors / along_random) if along_random > 0 else np.inf


@dataclass(frozen=True)
class FactorProjection:
    """A linear map from the measured genes (standardised) to all genes of the panel.

    A measured gene keeps half of what the factors do not explain; a missing gene gets its expectation under the factors
    (their posterior mean, Bishop 2006, 12.2.1). ``centred`` subtracts a spot's mean over the panel.
    """

    code: Float[Array, "measured k"]
    expected: Float[Array, "panel k"]
    measured: Bool[Array, " panel"]
    centred: bool

    @property
    def width(self) -> int:
        return len(self.measured)

    def __call__(self, scaled: Float[Array, "spots measured"]) -> Float[Array, "spots panel"]:
        projected = (scaled @ self.code) @ self.expected.T
        projected[:, self._kept] += RESIDUAL_WEIGHT * scaled[:, self._panel_genes]
        if self.centred:
            projected -= projected.mean(axis=1, keepdims=True)
        return np.asarray(projected)

    def matmat(self, right: Float[Array, "panel r"]) -> Float[Array, "measured r"]:
        right = right - right.mean(axis=0) if self.centred else right
        product = self.code @ (self.expected.T @ right)
        product[self._panel_genes] += RESIDUAL_WEIGHT * right[self._kept]
        return np.asarray(product)

    def rmatmat(self, right: Float[Array, "measured r"]) -> Float[Array, "panel r"]:
        product = self.expected @ (self.code.T @ right)
        product[self._kept] += RESIDUAL_WEIGHT * right[self._panel_genes]
        return np.asarray(product - product.mean(axis=0) if self.centred else product)

    @property
    def _kept(self) -> Bool[Array, " panel"] | slice:
        """The genes of the panel that are measured; all of them are read without a copy."""
        return slice(None) if self.measured.all() else self.measured

    @property
    def _panel_genes(self) -> slice:
        """The measured genes that are on the panel; the factors know more genes than the panel."""
        return slice(0, int(self.measured.sum()))


def _total(matrices: Iterable[Array]) -> Array:
    return np.asarray(sum(matrices))
