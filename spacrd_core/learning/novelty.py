"""How unlike the training tissue a spot is: Mahalanobis distance in a head's feature space."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.covariance import LedoitWolf

if TYPE_CHECKING:
    from collections.abc import Mapping

Array = np.ndarray[Any, Any]
USUAL = 0.95


@dataclass(frozen=True)
class Novelty:
    """The mean and precision of the training spots' features, and the distance that 95 % of them keep within."""

    mean: Array
    precision: Array
    reach: float

    @classmethod
    def fit(cls, features: Array) -> Self:
        """Fit to training spots x features; the covariance is shrunk (Ledoit and Wolf 2004), for spots are few."""
        model = LedoitWolf().fit(features.astype(np.float64))
        distances = np.sqrt(model.mahalanobis(features))
        return cls(model.location_, model.precision_, float(np.quantile(distances, USUAL)))

    def score(self, features: Array) -> Array:
        """Return each spot's distance over the training reach: above 1 is farther than 95 % of the training spots."""
        away = features.astype(np.float64) - self.mean
        return np.asarray(np.sqrt(np.einsum("ij,jk,ik->i", away, self.precision, away)) / self.reach)

    def tensors(self) -> dict[str, Array]:
        """Return what a detector keeps of it."""
        return {"mean": self.mean, "precision": self.precision, "reach": np.array([self.reach])}

    @classmethod
    def of_tensors(cls, tensors: Mapping[str, Array]) -> Self:
        """Return what :meth:`tensors` was made of."""
        return cls(tensors["mean"], tensors["precision"], float(tensors["reach"][0]))
