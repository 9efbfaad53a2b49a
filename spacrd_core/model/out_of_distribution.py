"""How unlike the training tissue a spot is: Mahalanobis distance in a head's feature space."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
from sklearn.covariance import LedoitWolf

if TYPE_CHECKING:
    from spacrd_core.arrays import Array

USUAL = 0.95


@dataclass(frozen=True)
class Novelty:
    """The mean and precision of the training spots' features, and the distance that 95 % of them keep within."""

    mean: Array
    precision: Array
    reach: Array

    @classmethod
    def fit(cls, features: Array) -> Self:
        """Fit to training spots x features; the covariance is shrunk (Ledoit and Wolf 2004), for spots are few."""
        model = LedoitWolf().fit(features.astype(np.float64))
        distances = np.sqrt(model.mahalanobis(features))
        return cls(model.location_, model.precision_, np.quantile(distances, USUAL))

    def score(self, features: Array) -> Array:
        """Return each spot's distance over the training reach: above 1 is farther than 95 % of the training spots."""
        away = features.astype(np.float64) - self.mean
        return np.asarray(np.sqrt(np.einsum("ij,jk,ik->i", away, self.precision, away)) / self.reach)
