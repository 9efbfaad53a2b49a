"""The control every other head is measured against: no depth, no attention, no fusion."""

import numpy as np
import torch
from jaxtyping import Float
from pydantic import Field, PositiveFloat, PositiveInt
from sklearn.linear_model import LogisticRegression
from torch import Tensor

from spacrd_core.cards import ComponentOptions
from spacrd_core.cohort.batch import Batch, Dims, neighbourhood_mean
from spacrd_core.errors import ConfigError, TrainingError
from spacrd_core.model.head import Head, Phase
from spacrd_fusion._base import gathered, measured, modalities
from spacrd_fusion.components import ModalityComponents


class Linear(Head):
    """Logistic regression on the principal components of neighbourhood means, both modalities simply concatenated.

    It is fitted at once by :meth:`warm_start` and has no phases. A modality that is missing where it scores counts as
    the training mean.
    """

    class Options(ComponentOptions):
        """How many components of each modality are read, and how little the coefficients are held back."""

        components: PositiveInt = Field(20, description="Principal components read of each modality, at most.")
        inverse_penalty: PositiveFloat = Field(1.0, description="The C of scikit-learn's LogisticRegression.")

    seeded = False
    options: Options
    coefficients: Float[Tensor, " features"]
    intercept: Float[Tensor, ""]

    def __init__(self, options: Options, *, dims: Dims) -> None:
        super().__init__(options, dims=dims)
        self.components = ModalityComponents(modalities(dims), components=options.components)
        self.register_buffer("coefficients", torch.zeros(sum(self.components.widths.values())))
        self.register_buffer("intercept", torch.zeros(()))

    def curriculum(self) -> tuple[Phase, ...]:
        return ()

    def losses(self, batch: Batch, phase: str) -> dict[str, Float[Tensor, ""]]:  # noqa: ARG002 - the contract
        raise ConfigError(f"the head 'linear' is fitted at once and has no phase '{phase}'")

    def warm_start(self, *batches: Batch) -> None:
        """Fit the components to all spots and the regression to the labelled ones."""
        known, labels, weights = (
            torch.cat(values).cpu().numpy()
            for values in zip(*((batch.labelled, batch.labels, batch.weights) for batch in batches), strict=True)
        )
        if len(np.unique(labels[known])) < 2:
            raise TrainingError("the head 'linear' needs labelled spots of both classes", hint="label more sections")
        self.components.fit(gathered([_means(batch, self.dims) for batch in batches]))
        features = torch.cat([self.features(batch) for batch in batches]).cpu().numpy()
        model = LogisticRegression(C=self.options.inverse_penalty, max_iter=2000)
        model.fit(features[known], labels[known], sample_weight=weights[known])
        self.coefficients.copy_(torch.from_numpy(model.coef_[0]))
        self.intercept.copy_(torch.from_numpy(model.intercept_)[0])

    def features(self, batch: Batch) -> Float[Tensor, "centres features"]:
        held = self.components(_means(batch, self.dims))
        missing = {
            name: self.coefficients.new_zeros(len(batch.labels), width)
            for name, width in self.components.widths.items()
            if name not in held
        }
        return torch.cat([(held | missing)[name] for name in self.components], dim=-1)

    def classify(self, features: Float[Tensor, "centres features"]) -> Float[Tensor, " centres"]:
        return features @ self.coefficients + self.intercept


def _means(batch: Batch, dims: Dims) -> dict[str, Float[Tensor, "centres d"]]:
    return {name: neighbourhood_mean(features, batch) for name, features in measured(batch, dims).items()}
