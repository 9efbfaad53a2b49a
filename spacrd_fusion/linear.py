"""The baseline head, without hidden layers, attention or learned fusion."""

from collections.abc import Mapping

import numpy as np
import torch
from jaxtyping import Float
from pydantic import Field, PositiveFloat, PositiveInt
from sklearn.linear_model import LogisticRegression
from torch import Tensor

from spacrd_core.cards import ComponentOptions
from spacrd_core.cohort.batch import Batch, Dims
from spacrd_core.cohort.training_spots import TrainingSpots
from spacrd_core.errors import ConfigError, TrainingError
from spacrd_core.model.head import Head, Phase
from spacrd_fusion._base import modality_means, modality_widths
from spacrd_fusion.components import ModalityComponents


class LinearHead(Head):
    """Logistic regression on the principal components of neighbourhood means, with both modalities concatenated.

    It is fitted at once, so it has no phases. In scoring, a missing modality is replaced by its training
    mean.
    """

    class Options(ComponentOptions):
        """The number of components and the inverse regularisation strength."""

        components: PositiveInt = Field(20, description="Maximum number of principal components per modality.")
        inverse_penalty: PositiveFloat = Field(
            1.0, description="Inverse regularisation strength, C of scikit-learn's LogisticRegression."
        )

    seeded = False
    options: Options
    coefficients: Float[Tensor, " features"]
    intercept: Float[Tensor, ""]

    def __init__(self, options: Options, *, dims: Dims) -> None:
        super().__init__(options, dims=dims)
        self.components = ModalityComponents(modality_widths(dims), components=options.components)
        self.register_buffer("coefficients", torch.zeros(sum(self.components.widths.values())))
        self.register_buffer("intercept", torch.zeros(()))

    def curriculum(self) -> tuple[Phase, ...]:
        return ()

    def losses(self, batch: Batch, phase: str) -> dict[str, Float[Tensor, ""]]:  # noqa: ARG002 - the contract
        raise ConfigError(f"the head 'linear' has no phase '{phase}': it is fitted in one step")

    def fit_training_spots(self, training: Mapping[str, TrainingSpots]) -> None:
        """Fit the components to all spots."""
        self.components.fit(training)

    def matrices(self) -> dict[str, Float[Tensor, "d r"]]:
        return self.components.matrices

    def warm_start(self, *batches: Batch) -> None:
        """Fit the regression to the labelled spots."""
        labelled, labels, weights = (
            torch.cat(values).cpu().numpy()
            for values in zip(*((batch.labelled, batch.labels, batch.weights) for batch in batches), strict=True)
        )
        if len(np.unique(labels[labelled])) < 2:
            raise TrainingError("the head 'linear' needs labelled spots of both classes", hint="label more sections")
        features = torch.cat([self.features(batch) for batch in batches]).cpu().numpy()
        model = LogisticRegression(C=self.options.inverse_penalty, max_iter=2000)
        model.fit(features[labelled], labels[labelled], sample_weight=weights[labelled])
        self.coefficients.copy_(torch.from_numpy(model.coef_[0]))
        self.intercept.copy_(torch.from_numpy(model.intercept_)[0])

    def features(self, batch: Batch) -> Float[Tensor, "centres features"]:
        available = self.components(modality_means(batch.project(self.matrices()), self.dims))
        missing = {
            name: self.coefficients.new_zeros(len(batch.labels), width)
            for name, width in self.components.widths.items()
            if name not in available
        }
        return torch.cat([(available | missing)[name] for name in self.components], dim=-1)

    def classify(self, features: Float[Tensor, "centres features"]) -> Float[Tensor, " centres"]:
        return features @ self.coefficients + self.intercept
