"""The contract of a fusion head: a torch module that learns from batches of spots and gives one cancer logit a spot."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

from jaxtyping import Float
from torch import Tensor, nn

from spacrd_core.cards import ComponentOptions
from spacrd_core.cohort.batch import Batch, Dims


@dataclass(frozen=True)
class Phase:
    """A named part of a head's training: how long, how fast, and the batch size in spots."""

    name: str
    epochs: int
    learning_rate: float
    weight_decay: float = 0.0
    batch_size: int = 512


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
        """What it asks of :class:`~spacrd_core.model.options.CohortOptions`, where the user says nothing."""
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
