"""How far a spot lies from the training spots: Mahalanobis distance in a head's feature space."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
from sklearn.covariance import LedoitWolf

if TYPE_CHECKING:
    from spacrd_core.arrays import Array

TRAINING_QUANTILE = 0.95


@dataclass(frozen=True)
class MahalanobisOOD:
    """The mean and precision of the training spots' features, and the distance that contains 95 % of them."""

    mean: Array
    precision: Array
    radius_95: Array

    @classmethod
    def fit(cls, features: Array) -> Self:
        """Fit to training features (spots x features) with a shrunk covariance (Ledoit and Wolf 2004)."""
        model = LedoitWolf().fit(features.astype(np.float64))
        distances = np.sqrt(model.mahalanobis(features))
        return cls(model.location_, model.precision_, np.quantile(distances, TRAINING_QUANTILE))

    def score(self, features: Array) -> Array:
        """Return each spot's distance relative to the 95 % radius; above 1, 95 % of the training spots are nearer."""
        distance = features.astype(np.float64) - self.mean
        return np.asarray(np.sqrt(np.einsum("ij,jk,ik->i", distance, self.precision, distance)) / self.radius_95)
