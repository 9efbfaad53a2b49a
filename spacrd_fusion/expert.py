"""A linear expert beside the deep one: what few patients can teach of thousands of genes."""

import torch
from jaxtyping import Float
from sklearn.linear_model import LogisticRegression
from torch import Tensor, nn


class MeanDifference(nn.Module):
    """The logit along the line from the mean of normal to the mean of cancer spots; 0 until fitted.

    Any estimate of how features vary together learns the quirks of a handful of patients; the difference of means is
    what they share. With weights that count patients and classes alike it is the mean over patients of their
    differences; a patient of one class adds what its spots tell of that class.
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
        """Find the line of these spots (labels 1 cancer, 0 normal), and how far along it cancer begins."""
        if len(labels.unique()) < 2:
            return
        share = weights * (2 * labels - 1)
        line = share @ features
        along = (features @ line).double().cpu().numpy()[:, None]
        scale = along.std() or 1.0
        model = LogisticRegression(C=1e3).fit(along / scale, labels.cpu().numpy(), weights.cpu().numpy())
        self.direction.copy_(line * (model.coef_[0, 0] / scale))
        self.intercept.fill_(model.intercept_[0])

    def forward(self, features: Float[Tensor, "spots d"]) -> Float[Tensor, " spots"]:
        return features @ self.direction + self.intercept
