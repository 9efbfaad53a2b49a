"""Standardised principal components, fitted once and kept as tensors that save and load with the head."""

from collections.abc import Mapping
from typing import cast

import torch
from jaxtyping import Float
from sklearn.decomposition import PCA
from torch import Tensor, nn


class PrincipalComponents(nn.Module):
    """The leading principal components of features, each scaled to unit variance; all 0 until fitted.

    A component that carries less variance than the average feature is not kept (Kaiser 1960): scaled up to unit
    variance, its noise would weigh as much as the tissue's main programme. Image statistics have a handful of
    components worth keeping, expression has hundreds. The places of those not kept stay 0.
    """

    mean: Float[Tensor, " d"]
    axes: Float[Tensor, "d components"]

    def __init__(self, features: int, *, components: int) -> None:
        super().__init__()
        self.width = min(components, features)
        self.register_buffer("mean", torch.zeros(features))
        self.register_buffer("axes", torch.zeros(features, self.width))

    def fit(self, features: Float[Tensor, "spots d"]) -> None:
        """Find the components of these spots; the same spots give the same components."""
        self.axes.zero_()
        average = features.var(dim=0).mean().item()
        if not average:
            return
        fitted = PCA(min(self.width, *features.shape), random_state=0).fit(features.double().cpu().numpy())
        # A share below one lets rounding keep the only component of a single feature.
        kept = fitted.explained_variance_ > 0.999 * average
        axes = (fitted.components_[kept] / fitted.explained_variance_[kept, None] ** 0.5).T
        self.mean.copy_(torch.from_numpy(fitted.mean_))
        self.axes[:, : kept.sum()] = torch.from_numpy(axes).to(self.axes)

    def forward(self, features: Float[Tensor, "spots d"]) -> Float[Tensor, "spots components"]:
        return (features - self.mean) @ self.axes


class ModalityComponents(nn.ModuleDict):
    """The principal components of every modality, by name."""

    def __init__(self, widths: Mapping[str, int], *, components: int) -> None:
        super().__init__({name: PrincipalComponents(width, components=components) for name, width in widths.items()})

    def of(self, name: str) -> PrincipalComponents:
        """Return the components of one modality."""
        return cast("PrincipalComponents", self[name])

    @property
    def widths(self) -> dict[str, int]:
        """How many components each modality has."""
        return {name: self.of(name).width for name in self}

    def fit(self, features: Mapping[str, Float[Tensor, "spots d"]]) -> None:
        """Find the components of every modality given."""
        for name, values in features.items():
            self.of(name).fit(values)

    def forward(self, features: Mapping[str, Float[Tensor, "spots d"]]) -> dict[str, Float[Tensor, "spots components"]]:
        return {name: self[name](values) for name, values in features.items()}
