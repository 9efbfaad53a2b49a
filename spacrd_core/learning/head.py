"""The contract of a fusion head: a torch module that learns from batches of spots and gives one cancer logit a spot."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from spacrd_core.cards import ComponentOptions
from spacrd_core.learning.views import VIEWS, view_of


@dataclass(frozen=True)
class Dims:
    """The width of each modality's features; 0 where a head is built without it."""

    genes: int
    image: int


@dataclass(frozen=True)
class Phase:
    """A named part of a head's training: how long, how fast, and the batch size in spots."""

    name: str
    epochs: int
    learning_rate: float
    weight_decay: float = 0.0
    batch_size: int = 512


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
        """What the spots are read by, as in :mod:`spacrd_core.learning.views`."""
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


class Head(nn.Module, ABC):
    """A fusion head.

    It is built with the dimensions of both modalities, either of which may be 0, and scores batches that hold image and
    genes, genes alone (``batch.image is None``) or image alone.
    """

    Options: type[ComponentOptions]
    #: Whether the seed changes what it learns; where not, one training stands for all seeds.
    seeded: ClassVar[bool] = True

    def __init__(self, options: ComponentOptions, *, dims: Dims) -> None:
        super().__init__()
        self.options = options
        self.dims = dims

    @classmethod
    def reads(cls, options: ComponentOptions) -> dict[str, Any]:  # noqa: ARG003 - heads that ask for something use it
        """What it asks of :class:`~spacrd_core.learning.choices.CohortOptions`, where the user says nothing."""
        return {}

    @abstractmethod
    def curriculum(self) -> tuple[Phase, ...]:
        """The phases of training, in order; empty for a head that is fitted by ``warm_start`` alone."""

    @property
    def reads_either(self) -> bool:
        """Whether it was trained to read either modality alone, so that what it says of each may be weighed."""
        return False

    @property
    def smooths(self) -> bool:
        """Whether the logit of a spot is to be averaged over like tissue around it."""
        return False

    def warm_start(self, *batches: Batch) -> None:
        """Fit what needs all training spots at once (principal components, prototypes), before the first phase.

        There is a batch for every choice of modalities that the training sections have.
        """

    @abstractmethod
    def losses(self, batch: Batch, phase: str) -> dict[str, Float[Tensor, ""]]:
        """The named terms whose sum a phase minimises; none where a batch has nothing to teach it."""

    @abstractmethod
    def features(self, batch: Batch) -> Float[Tensor, "centres features"]:
        """The fused features a logit is read from; also what "unlike the training tissue" is measured in."""

    @abstractmethod
    def classify(self, features: Float[Tensor, "centres features"]) -> Float[Tensor, " centres"]:
        """The cancer logit of fused features."""

    def score(self, batch: Batch) -> Float[Tensor, " centres"]:
        """The cancer logit of every centre."""
        return self.classify(self.features(batch))


def neighbourhood_mean(features: Float[Tensor, "spots d"], batch: Batch) -> Float[Tensor, "centres d"]:
    """The mean of the features over the present neighbours of every centre, itself included."""
    shares = batch.present.to(features.dtype)
    shares = shares / shares.sum(dim=1, keepdim=True)
    return F.embedding_bag(batch.neighbours, features, per_sample_weights=shares, mode="sum")
