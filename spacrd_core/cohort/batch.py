"""Batches of spots and their neighbourhoods."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor

from spacrd_core.cohort.modalities import MODALITIES, join_modalities


@dataclass(frozen=True)
class Dims:
    """The feature width of each modality; 0 if a head is built without it."""

    genes: int
    image: int


@dataclass(frozen=True)
class Batch:
    """Spots and their neighbourhoods; each needed spot is held once.

    Attributes
    ----------
    genes, image
        Scaled features of the needed spots; None if the section does not have the modality.
    neighbours
        For every centre, indices into the needed spots: the centre first, then its nearest neighbours.
    present
        False where a neighbourhood is padded; a padded entry repeats some spot and must be masked.
    labels
        One label per centre: 1 cancer, 0 normal, -1 unknown.
    weights
        Loss weight of each centre; 0 for unknown labels, with mean 1 over the labelled spots of a cohort.
    projected
        Whether the features are products with the matrices of the head (:meth:`~spacrd_core.model.head.Head.matrices`).
    """

    genes: Float[Tensor, "spots genes"] | None
    image: Float[Tensor, "spots dim"] | None
    neighbours: Int[Tensor, "centres k"]
    present: Bool[Tensor, "centres k"]
    labels: Int[Tensor, " centres"]
    weights: Float[Tensor, " centres"]
    projected: bool = False

    @property
    def centres(self) -> Int[Tensor, " centres"]:
        """The index of each centre among the needed spots."""
        return self.neighbours[:, 0]

    @property
    def modalities(self) -> str:
        """The modalities of the spots, as in :mod:`spacrd_core.cohort.modalities`."""
        return join_modalities(genes=self.genes, image=self.image)

    def select(self, modalities: str) -> "Batch":
        """Return the batch as if only these modalities had been measured."""
        members = MODALITIES[modalities]
        return replace(
            self, genes=self.genes if "genes" in members else None, image=self.image if "image" in members else None
        )

    def project(self, matrices: Mapping[str, Float[Tensor, "d r"]]) -> "Batch":
        """Return the batch with the features of each modality times its matrix, if that is not done yet."""
        return self if self.projected else replace(self, **multiply(self, matrices))

    @property
    def labelled(self) -> Bool[Tensor, " centres"]:
        """Which centres have a known label."""
        return self.labels >= 0


def multiply(features: Any, matrices: Mapping[str, Float[Tensor, "d r"]]) -> dict[str, Any]:
    """Return the attributes of a batch or cohort whose ``genes`` and ``image`` are multiplied by their matrices."""
    values = {name: getattr(features, name) for name in matrices}
    products = {name: value @ matrices[name] for name, value in values.items() if value is not None}
    return products | {"projected": bool(matrices)}


def neighbourhood_mean(features: Float[Tensor, "spots d"], batch: Batch) -> Float[Tensor, "centres d"]:
    """Return the mean of the features over each centre's neighbourhood, including the centre."""
    weights = batch.present.to(features.dtype)
    weights = weights / weights.sum(dim=1, keepdim=True)
    return F.embedding_bag(batch.neighbours, features, per_sample_weights=weights, mode="sum")
