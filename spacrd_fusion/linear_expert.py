"""A linear model of gene expression beside the deep one; it generalises better when few patients are available."""

import numpy as np
import torch
from jaxtyping import Float
from sklearn.linear_model import LogisticRegression
from torch import Tensor, nn

from spacrd_core.cohort.training_spots import TrainingSpots


class LinearExpert(nn.Module):
    """A logit along the direction from the mean of normal to the mean of cancer spots; 0 until fitted.

    An estimate of the covariance of features overfits a few patients; the difference of class means is what they share.
    With balanced patients and classes, the direction is the mean over patients of their differences. A patient with one
    class contributes to the mean of that class.
    """

    direction: Float[Tensor, " d"]
    intercept: Float[Tensor, ""]

    def __init__(self, features: int) -> None:
        super().__init__()
        self.register_buffer("direction", torch.zeros(features))
        self.register_buffer("intercept", torch.zeros(()))

    def fit(self, training: TrainingSpots) -> None:
        """Fit the direction to the labelled spots, then slope and intercept of the logit along it."""
        labelled = training.labels >= 0
        labels, weights = training.labels[labelled], training.weights[labelled]
        if len(np.unique(labels)) < 2:
            return
        signed_weights = np.where(labelled, training.weights * (2 * training.labels - 1), 0).astype(np.float32)
        direction = training.means.rmatmat(signed_weights[:, None])
        positions = (training.means @ direction)[labelled].astype(np.float64)
        scale = positions.std() or 1.0
        model = LogisticRegression(C=1e3).fit(positions / scale, labels, weights)
        self.direction.copy_(torch.from_numpy(direction[:, 0] * np.float32(model.coef_[0, 0] / scale)))
        self.intercept.fill_(model.intercept_[0])

    def forward(self, features: Float[Tensor, "spots d"]) -> Float[Tensor, " spots"]:
        return features @ self.direction + self.intercept
