"""The head of the built-in detector ``prior``, which is not trained."""

from jaxtyping import Float
from torch import Tensor

from spacrd_core.cards import ComponentOptions
from spacrd_core.cohort.batch import Batch
from spacrd_core.errors import TrainingError
from spacrd_core.model.head import Head, Phase


class PriorHead(Head):
    """What a section says of itself, by gene lists and by the density of its H&E (:mod:`spacrd_core.prior`).

    It has nothing to train and reads sections, not batches: ``spacrd detect STORE prior`` applies it, and ``spacrd
    evaluate`` always shows it as a control.
    """

    class Options(ComponentOptions):
        """None: gene lists are the setting ``prior.lists``."""

    seeded = False
    trainable = False

    def curriculum(self) -> tuple[Phase, ...]:
        return ()

    def warm_start(self, *batches: Batch) -> None:  # noqa: ARG002 - the contract
        raise untrainable("prior")

    def losses(self, batch: Batch, phase: str) -> dict[str, Float[Tensor, ""]]:  # noqa: ARG002 - the contract
        raise untrainable("prior")

    def features(self, batch: Batch) -> Float[Tensor, "centres features"]:  # noqa: ARG002 - the contract
        raise untrainable("prior")

    def classify(self, features: Float[Tensor, "centres features"]) -> Float[Tensor, " centres"]:  # noqa: ARG002
        raise untrainable("prior")


def untrainable(head: str) -> TrainingError:
    """Return the error for training a head that has nothing to train."""
    return TrainingError(
        f"the head '{head}' is built in and has nothing to train", hint=f"spacrd detect STORE {head} -o DIR"
    )
