"""Genes read through what varies together in the training sections: missing genes are inferred, noise is damped."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from jaxtyping import Bool, Float
from scipy.sparse.linalg import LinearOperator

from spacrd_core.arrays import Array

KEPT = 0.5  # of what a measured gene says beside the factors
SPARE, ROUNDS = 10, 5  # of the randomised decomposition (Halko, Martinsson and Tropp 2011)
LEAST_NOISE = 1e-3
LEADING, PROBES = 5, 60
FEWEST = 20


@dataclass(frozen=True)
class GeneFactors:
    """A factor model of standardised genes: ``genes = factors @ loadings.T + noise``, factors standard normal.

    ``noise`` is its variance, gene by gene, in the mean over a neighbourhood.
    """

    loadings: Float[Array, "genes k"]
    noise: Float[Array, " genes"]

    @classmethod
    def fit(cls, sections: Sequence[LinearOperator], *, factors: int, neighbours: int) -> Self:
        """Fit to sections' neighbourhood means (spots x genes, each gene of spread 1 in a spot), sections alike.

        Neighbours share their tissue and not their noise: what survives in their mean is what genes say together.
        """
        genes = sections[0].shape[1]
        factors = min(factors, genes, sum(section.shape[0] for section in sections))
        basis = np.linalg.qr(np.random.default_rng(0).standard_normal((genes, min(factors + SPARE, genes))))[0]
        for _ in range(ROUNDS):
            basis = np.linalg.qr(_summed(section.rmatmat(section @ basis) / section.shape[0] for section in sections))[
                0
            ]
        seen = [section @ basis for section in sections]
        variance, axes = np.linalg.eigh(_summed(x.T @ x / len(x) for x in seen) / len(sections))
        leading = slice(-1, -factors - 1, -1)
        loadings = (basis @ axes[:, leading]) * np.sqrt(np.maximum(variance[leading], 0.0))
        noise = np.maximum(1.0 - np.square(loadings).sum(axis=1), 0.0) / neighbours + LEAST_NOISE
        return cls(loadings.astype(np.float32), noise.astype(np.float32))

    def reading(self, measured: Bool[Array, " genes"], *, genes: int, centred: bool) -> "FactorReading":
        """Return how a section that measures these is read: as the first so many genes, all of them known."""
        own = self.loadings[measured]
        weighted = own / self.noise[measured, None]
        code = np.linalg.solve(own.T @ weighted + np.eye(own.shape[1], dtype=np.float32), weighted.T).T
        kept = np.where(measured[:genes], np.float32(KEPT), np.float32(0.0))
        return FactorReading(code, self.loadings[:genes] * (1 - kept)[:, None], measured[:genes], centred)

    def kinship(self, means: LinearOperator, measured: Bool[Array, " genes"]) -> float:
        """Return how much more of a section's variation lies along the leading factors than along random directions.

        ``means`` are neighbourhood means of the measured genes, each spot's mean taken off. It is 1 where genes do not
        go together as in training, as when they are named wrongly, and 1.5 or more even for 200 genes of such tissue;
        infinite for so few genes that anything lies along five directions.
        """
        if measured.sum() < FEWEST:
            return np.inf
        own = self.loadings[measured][:, :LEADING]
        axes = np.linalg.qr(own - own.mean(axis=0))[0]
        random = np.random.default_rng(0).standard_normal((len(own), PROBES)).astype(np.float32) / np.sqrt(len(own))
        along, anywhere = (np.square(means @ right).mean() for right in (axes, random))
        return float(along / anywhere) if anywhere > 0 else np.inf


@dataclass(frozen=True)
class FactorReading:
    """Measured genes, standardised, to all genes of the panel: a linear map.

    A gene that was measured keeps half of what it says beside the factors; one that was not is what the factors expect
    (the posterior mean of the factors, Bishop 2006, 12.2.1). ``centred`` takes a spot's mean off all of them.
    """

    code: Float[Array, "measured k"]
    expected: Float[Array, "panel k"]
    measured: Bool[Array, " panel"]
    centred: bool

    @property
    def width(self) -> int:
        return len(self.measured)

    def __call__(self, scaled: Float[Array, "spots measured"]) -> Float[Array, "spots panel"]:
        read = (scaled @ self.code) @ self.expected.T
        read[:, self.measured] += KEPT * scaled[:, self._own]
        if self.centred:
            read -= read.mean(axis=1, keepdims=True)
        return np.asarray(read)

    def pulled(self, right: Float[Array, "panel r"]) -> Float[Array, "measured r"]:
        right = right - right.mean(axis=0) if self.centred else right
        found = self.code @ (self.expected.T @ right)
        found[self._own] += KEPT * right[self.measured]
        return np.asarray(found)

    def pushed(self, right: Float[Array, "measured r"]) -> Float[Array, "panel r"]:
        found = self.expected @ (self.code.T @ right)
        found[self.measured] += KEPT * right[self._own]
        return np.asarray(found - found.mean(axis=0) if self.centred else found)

    @property
    def _own(self) -> slice:
        """Where the panel's genes are among the measured."""
        return slice(0, int(self.measured.sum()))


def _summed(parts: Any) -> Array:
    return np.asarray(sum(parts))
