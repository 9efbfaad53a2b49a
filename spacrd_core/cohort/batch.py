"""Batches of spots and their neighbourhoods."""

from dataclasses import dataclass, replace

import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor

from spacrd_core.cohort.modalities import VIEWS, view_of


@dataclass(frozen=True)
class Dims:
    """The width of each modality's features; 0 where a head is built without it."""

    genes: int
    image: int


@dataclass(frozen=True)
class Batch:
    """Spots and their neighbourhoods; every needed spot is held once.

    Attributes
    ----------
    genes, image
        Scaled features of the needed spots; None where the section has none of it.
    neighbours
        For every centre, indices into the needed spots: itself first, then its nearest neighbours.
    present
        False where a neighbourhood is padded; a padded place repeats some spot and is to be masked.
    labels
        1 cancer, 0 normal, -1 unknown, one a centre.
    weights
        What each labelled centre counts in a loss; 0 for unknown labels; mean 1 over the labelled spots of a cohort.
    """

    genes: Float[Tensor, "spots genes"] | None
    image: Float[Tensor, "spots dim"] | None
    neighbours: Int[Tensor, "centres k"]
    present: Bool[Tensor, "centres k"]
    labels: Int[Tensor, " centres"]
    weights: Float[Tensor, " centres"]

    @property
    def centres(self) -> Int[Tensor, " centres"]:
        """Where each centre stands among the needed spots."""
        return self.neighbours[:, 0]

    @property
    def view(self) -> str:
        """What the spots are read by, as in :mod:`spacrd_core.cohort.modalities`."""
        return view_of(genes=self.genes, image=self.image)

    def seen_by(self, view: str) -> "Batch":
        """Return the batch as if only a view's modalities had been measured."""
        held = VIEWS[view]
        return replace(
            self, genes=self.genes if "genes" in held else None, image=self.image if "image" in held else None
        )

    @property
    def labelled(self) -> Bool[Tensor, " centres"]:
        """Whether a centre's label is known."""
        return self.labels >= 0


def neighbourhood_mean(features: Float[Tensor, "spots d"], batch: Batch) -> Float[Tensor, "centres d"]:
    """The mean of the features over the present neighbours of every centre, itself included."""
    shares = batch.present.to(features.dtype)
    shares = shares / shares.sum(dim=1, keepdim=True)
    return F.embedding_bag(batch.neighbours, features, per_sample_weights=shares, mode="sum")
