"""Standardised principal components, fitted once and stored as tensors of the head."""

from collections.abc import Mapping
from typing import cast

import torch
from jaxtyping import Float
from sklearn.decomposition import PCA
from torch import Tensor, nn


class PrincipalComponents(nn.Module):
    """The leading principal components of features, each scaled to unit variance; all 0 until fitted.

    A component with less variance than the average feature is dropped and stays 0 (Kaiser 1960): scaled to unit
    variance, its noise would weigh as much as the main programme of the tissue. Image statistics have a few components
    above this limit, expression has hundreds.
    """

    mean: Float[Tensor, " d"]
    axes: Float[Tensor, "d components"]

    def __init__(self, features: int, *, components: int) -> None:
        super().__init__()
        self.width = min(components, features)
        self.register_buffer("mean", torch.zeros(features))
        self.register_buffer("axes", torch.zeros(features, self.width))

    def fit(self, features: Float[Tensor, "spots d"]) -> None:
        """Fit the components to these spots; the result is deterministic."""
        self.axes.zero_()
        average = features.var(dim=0).mean().item()
        if not average:
            return
        pca = PCA(min(self.width, *features.shape), random_state=0).fit(features.double().cpu().numpy())
        # A factor slightly below 1 keeps the only component of a single feature despite rounding.
        kept = pca.explained_variance_ > 0.999 * average
        axes = (pca.components_[kept] / pca.explained_variance_[kept, None] ** 0.5).T
        self.mean.copy_(torch.from_numpy(pca.mean_))
        self.axes[:, : kept.sum()] = torch.from_numpy(axes).to(self.axes)

    def forward(self, features: Float[Tensor, "spots d"]) -> Float[Tensor, "spots components"]:
        return (features - self.mean) @ self.axes


class ModalityComponents(nn.ModuleDict):
    """The principal components of each modality, by name."""

    def __init__(self, widths: Mapping[str, int], *, components: int) -> None:
        super().__init__({name: PrincipalComponents(width, components=components) for name, width in widths.items()})

    def for_modality(self, name: str) -> PrincipalComponents:
        """Return the components of one modality."""
        return cast("PrincipalComponents", self[name])

    @property
    def widths(self) -> dict[str, int]:
        """The number of components of each modality."""
        return {name: self.for_modality(name).width for name in self}

    def fit(self, features: Mapping[str, Float[Tensor, "spots d"]]) -> None:
        """Fit the components of each of these modalities."""
        for name, values in features.items():
            self.for_modality(name).fit(values)

    def forward(self, features: Mapping[str, Float[Tensor, "spots d"]]) -> dict[str, Float[Tensor, "spots components"]]:
        return {name: self[name](values) for name, values in features.items()}
