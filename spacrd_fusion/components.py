"""Standardised principal components, fitted once and stored as tensors of the head."""

from collections.abc import Mapping
from typing import cast

import numpy as np
import torch
from jaxtyping import Float
from scipy.sparse.linalg import LinearOperator
from torch import Tensor, nn

from spacrd_core.arrays import Array
from spacrd_core.cohort.decomposition import Decomposition
from spacrd_core.cohort.operators import centred
from spacrd_core.cohort.training_spots import TrainingSpots

ITERATIONS = 7
MIN_VARIANCE = 1e-10  # relative to the square of the mean; features that vary less are constant


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

    def fit(self, training: TrainingSpots) -> None:
        """Fit the components to these spots; the result is deterministic."""
        self.axes.zero_()
        average = training.variance
        if average <= MIN_VARIANCE * np.square(training.average).mean():
            return
        matrix = centred(training.means, training.average)
        axes, values = _leading_axes(matrix, self.width)
        variance = np.square(values) / (matrix.shape[0] - 1)
        # A factor slightly below 1 keeps the only component of a single feature despite rounding.
        kept = variance > 0.999 * average
        scaled = _upright(axes[:, kept]) / np.sqrt(variance[kept])
        self.mean.copy_(torch.from_numpy(training.average[:, 0]))
        self.axes[:, : kept.sum()] = torch.from_numpy(scaled).to(self.axes)

    def forward(self, projected: Float[Tensor, "spots components"]) -> Float[Tensor, "spots components"]:
        """Return the components of features that are already multiplied by the axes."""
        return projected - self.mean @ self.axes


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

    @property
    def matrices(self) -> dict[str, Float[Tensor, "d components"]]:
        """The axes of each modality, by which its features are multiplied."""
        return {name: self.for_modality(name).axes for name in self}

    def fit(self, training: Mapping[str, TrainingSpots]) -> None:
        """Fit the components of each of these modalities that the head has."""
        for name in self:
            if name in training:
                self.for_modality(name).fit(training[name])

    def forward(
        self, projected: Mapping[str, Float[Tensor, "spots d"]]
    ) -> dict[str, Float[Tensor, "spots components"]]:
        """Return the components of features that are already multiplied by the axes; further columns are left out."""
        return {name: self[name](values[:, : self.for_modality(name).width]) for name, values in projected.items()}


def _leading_axes(
    matrix: LinearOperator, count: int
) -> tuple[Float[Array, "d components"], Float[Array, " components"]]:
    """The leading right singular vectors and values; the random start is over the shorter side, as in scikit-learn."""
    if matrix.shape[0] >= matrix.shape[1]:
        leading = Decomposition.of(matrix, count, iterations=ITERATIONS)
        return leading.axes, leading.values
    leading = Decomposition.of(matrix.T, count, iterations=ITERATIONS)
    return leading.left, leading.values


def _upright(axes: Float[Array, "d components"]) -> Float[Array, "d components"]:
    """The axes with their largest weight above 0, because a decomposition leaves the sign open."""
    largest = np.abs(axes).argmax(axis=0)
    return np.asarray(axes * np.sign(axes[largest, np.arange(axes.shape[1])]))
