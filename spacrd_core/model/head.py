"""The contract of a fusion head: a torch module that learns from batches of spots and scores each spot."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from jaxtyping import Float
from torch import Tensor, nn

from spacrd_core.cards import ComponentOptions
from spacrd_core.cohort.batch import Batch, Dims
from spacrd_core.cohort.training_spots import TrainingSpots


@dataclass(frozen=True)
class Phase:
    """A named phase of a head's training: epochs, learning rate, weight decay, and batch size in spots.

    Batches consist of blocks of tissue or, with ``single_spots``, of random spots without their neighbours. A batch
    with both modalities loses one of them, either as often, with the probability ``modality_dropout``; None draws no
    random number for it.
    """

    name: str
    epochs: int
    learning_rate: float
    weight_decay: float = 0.0
    batch_size: int = 512
    single_spots: bool = False
    modality_dropout: float | None = None


class Head(nn.Module, ABC):
    """A fusion head.

    It is built with the dimensions of both modalities, either of which may be 0, and scores batches with image and
    genes, with genes only (``batch.image is None``) or with the image only.
    """

    Options: type[ComponentOptions]
    #: Whether the seed changes the result of training; if not, one training serves all seeds.
    seeded: ClassVar[bool] = True
    #: Whether labelled sections train the head; the head of the built-in detector has nothing to train.
    trainable: ClassVar[bool] = True

    def __init__(self, options: ComponentOptions, *, dims: Dims) -> None:
        super().__init__()
        self.options = options
        self.dims = dims

    @classmethod
    def cohort_defaults(cls, options: ComponentOptions) -> dict[str, Any]:  # noqa: ARG003 - heads with defaults use it
        """Return this head's defaults for :class:`~spacrd_core.cohort.options.CohortOptions`; users override them."""
        return {}

    @abstractmethod
    def curriculum(self) -> tuple[Phase, ...]:
        """Return the phases of training in order; empty if ``warm_start`` alone fits the head."""

    @property
    def scores_modalities_separately(self) -> bool:
        """Whether the head was trained to score either modality alone, so that the scores can be weighted."""
        return False

    @property
    def smooths(self) -> bool:
        """Whether the logit of a spot is averaged over similar tissue around it."""
        return False

    @property
    def uses_prior(self) -> bool:
        """Whether the logits are combined with what a section says of itself (:mod:`spacrd_core.prior`)."""
        return False

    def fit_training_spots(self, training: Mapping[str, TrainingSpots]) -> None:
        """Fit buffers to the neighbourhood means of all training spots, by modality, before anything else is fitted.

        The means are linear operators, which need no memory for dense features. Only buffers may be fitted, and the
        result must not depend on a seed: the members of an ensemble share it.
        """

    def matrices(self) -> dict[str, Float[Tensor, "d r"]]:
        """Return the matrix that the features of each modality are multiplied by before anything else.

        They are constant once :meth:`fit_training_spots` has been called. A head that returns matrices gets batches
        that are already multiplied (``batch.projected``), which saves time and memory, and multiplies others itself
        (``batch.project(self.matrices())``). None by default: the head reads the features themselves.
        """
        return {}

    def warm_start(self, *batches: Batch) -> None:
        """Fit what needs all training spots at once as batches (prototypes), before the first phase.

        There is one batch per set of modalities that the training sections have. Without :meth:`matrices`, their
        features are dense.
        """

    @abstractmethod
    def losses(self, batch: Batch, phase: str) -> dict[str, Float[Tensor, ""]]:
        """Return the named loss terms whose sum a phase minimises; none if it cannot learn from this batch."""

    @abstractmethod
    def features(self, batch: Batch) -> Float[Tensor, "centres features"]:
        """Return the fused features that are classified; the out-of-distribution score also uses them."""

    @abstractmethod
    def classify(self, features: Float[Tensor, "centres features"]) -> Float[Tensor, " centres"]:
        """Return the cancer logit of fused features."""

    def score(self, batch: Batch) -> Float[Tensor, " centres"]:
        """Return the cancer logit of every centre."""
        return self.classify(self.features(batch))
