"""Standardised principal components, fitted once and kept as tensors that save and load with the head."""

import torch
from jaxtyping import Float
from sklearn.decomposition import PCA
from torch import Tensor, nn


class PrincipalComponents(nn.Module):
    """The leading principal components of features, each scaled to unit variance; all 0 until fitted.

    Where the fitted spots span fewer directions than were asked for, the components left over stay 0.
    """

    mean: Float[Tensor, " d"]
    axes: Float[Tensor, "d components"]

    def __init__(self, features: int, *, components: int) -> None:
        super().__init__()
        self.width = min(components, features)
        self.register_buffer("mean", torch.zeros(features))
        self.register_buffer("axes", torch.zeros(features, self.width))

    def fit(self, features: Float[Tensor, "spots d"]) -> None:
        """Find the components of these spots. The same spots give the same components: nothing is drawn at random."""
        fitted = PCA(min(self.width, *features.shape), random_state=0).fit(features.double().cpu().numpy())
        kept = fitted.explained_variance_ > 1e-8 * fitted.explained_variance_[0]
        axes = (fitted.components_[kept] / fitted.explained_variance_[kept, None] ** 0.5).T
        self.mean.copy_(torch.from_numpy(fitted.mean_))
        self.axes.zero_()[:, : kept.sum()] = torch.from_numpy(axes).to(self.axes)

    def forward(self, features: Float[Tensor, "spots d"]) -> Float[Tensor, "spots components"]:
        return (features - self.mean) @ self.axes
