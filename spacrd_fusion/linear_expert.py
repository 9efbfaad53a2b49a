"""A linear model of gene expression beside the deep one; it generalises better when few patients are available."""

import torch
from jaxtyping import Float
from sklearn.linear_model import LogisticRegression
from torch import Tensor, nn


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

    def fit(
        self, features: Float[Tensor, "spots d"], labels: Float[Tensor, " spots"], weights: Float[Tensor, " spots"]
    ) -> None:
        """Fit the direction to spots (labels 1 cancer, 0 normal), then slope and intercept of the logit along it."""
        if len(labels.unique()) < 2:
            return
        signed_weights = weights * (2 * labels - 1)
        direction = signed_weights @ features
        positions = (features @ direction).double().cpu().numpy()[:, None]
        scale = positions.std() or 1.0
        model = LogisticRegression(C=1e3).fit(positions / scale, labels.cpu().numpy(), weights.cpu().numpy())
        self.direction.copy_(direction * (model.coef_[0, 0] / scale))
        self.intercept.fill_(model.intercept_[0])

    def forward(self, features: Float[Tensor, "spots d"]) -> Float[Tensor, " spots"]:
        return features @ self.direction + self.intercept
