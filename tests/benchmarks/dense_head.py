"""The head ``spacrd`` with dense features, fitted once a member: the baseline of reading through sparse products."""

from collections.abc import Mapping

import torch
from jaxtyping import Float
from sklearn.decomposition import PCA
from torch import Tensor

from spacrd_core.cards import HeadCard
from spacrd_core.cohort.batch import Batch
from spacrd_core.cohort.training_spots import TrainingSpots
from spacrd_core.plugins import Registry
from spacrd_fusion._base import concatenate_modalities, modality_means
from spacrd_fusion.spacrd import SpaCRDHead

HEADS: Registry[HeadCard] = Registry("head", (HeadCard("spacrd", "benchmarks.dense_head:DenseHead", "dense"),))


class DenseHead(SpaCRDHead):
    """The same head as one would write it first: every batch is dense, and every member fits its own components."""

    def fit_training_spots(self, training: Mapping[str, TrainingSpots]) -> None:
        """Fit nothing: :meth:`warm_start` does."""

    def matrices(self) -> dict[str, Float[Tensor, "d r"]]:
        return {}

    def warm_start(self, *batches: Batch) -> None:
        features = concatenate_modalities([modality_means(batch, self.dims) for batch in batches])
        for name, values in features.items():
            self._fit_components(name, values)
        if self.expert:
            self.expert.fit(TrainingSpots.from_batches(batches)["genes"])

    def features(self, batch: Batch) -> Float[Tensor, "centres features"]:
        return super().features(batch.project(super().matrices()))

    def losses(self, batch: Batch, phase: str) -> dict[str, Float[Tensor, ""]]:
        return super().losses(batch.project(super().matrices()), phase)

    def _fit_components(self, name: str, values: Float[Tensor, "spots d"]) -> None:
        components = self.components.for_modality(name)
        pca = PCA(components.width, random_state=0).fit(values.double().numpy())
        kept = pca.explained_variance_ > 0.999 * values.var(dim=0).mean().item()
        axes = (pca.components_[kept] / pca.explained_variance_[kept, None] ** 0.5).T
        components.mean.copy_(torch.from_numpy(pca.mean_))
        components.axes.zero_()
        components.axes[:, : kept.sum()] = torch.from_numpy(axes)
