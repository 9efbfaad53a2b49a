"""The contract of heads detects every violation."""

import pytest
import torch
from torch import Tensor, nn

from spacrd_core.cards import ComponentOptions
from spacrd_core.cohort.batch import Batch, Dims, neighbourhood_mean
from spacrd_core.contracts.head import BOTH, check_head, example_batch
from spacrd_core.errors import ContractError
from spacrd_core.model.head import Head, Phase


class Good(Head):
    Options = ComponentOptions

    def __init__(self, dims: Dims) -> None:
        super().__init__(ComponentOptions(), dims=dims)
        self.linear = nn.Linear(dims.genes + dims.image, 1)

    def curriculum(self) -> tuple[Phase, ...]:
        return (Phase("fit", 1, 0.01),)

    def losses(self, batch: Batch, phase: str) -> dict[str, Tensor]:
        labelled = batch.labelled
        targets = batch.labels[labelled].float()
        return {"bce": nn.functional.binary_cross_entropy_with_logits(self.score(batch)[labelled], targets)}

    def features(self, batch: Batch) -> Tensor:
        modalities = ((batch.genes, self.dims.genes), (batch.image, self.dims.image))
        rows = len(batch.neighbours)
        parts = [torch.zeros(rows, d) if part is None else neighbourhood_mean(part, batch) for part, d in modalities]
        return torch.cat(parts, dim=1)

    def classify(self, features: Tensor) -> Tensor:
        return self.linear(features)[:, 0]


class NoOptions(Good):
    Options = dict  # type: ignore[assignment]


class SameNames(Good):
    def curriculum(self) -> tuple[Phase, ...]:
        return (Phase("fit", 1, 0.01), Phase("fit", 2, 0.01))


class NoEpochs(Good):
    def curriculum(self) -> tuple[Phase, ...]:
        return (Phase("fit", 0, 0.01),)


class Words(Good):
    def curriculum(self) -> tuple[Phase, ...]:
        return ("fit",)  # type: ignore[return-value]


class VectorLoss(Good):
    def losses(self, batch: Batch, phase: str) -> dict[str, Tensor]:
        return {"bce": self.score(batch)}


class NaNLoss(Good):
    def losses(self, batch: Batch, phase: str) -> dict[str, Tensor]:
        return {"bce": self.score(batch).sum() / 0}


class NoGradient(Good):
    def losses(self, batch: Batch, phase: str) -> dict[str, Tensor]:
        return {"bce": self.score(batch).sum().detach()}


class ZeroGradient(Good):
    def losses(self, batch: Batch, phase: str) -> dict[str, Tensor]:
        return {"bce": 0 * self.score(batch).sum()}


class NaNWithoutImage(Good):
    def features(self, batch: Batch) -> Tensor:
        fused = super().features(batch)
        return fused if batch.image is not None or not self.dims.image else fused * torch.nan


class Column(Good):
    def losses(self, batch: Batch, phase: str) -> dict[str, Tensor]:
        return {"sum": self.score(batch).sum()}

    def score(self, batch: Batch) -> Tensor:
        return super().score(batch)[:, None]


class Scaled(Good):
    def score(self, batch: Batch) -> Tensor:
        return 2 * super().score(batch)


class Restless(Good):
    def features(self, batch: Batch) -> Tensor:
        return nn.functional.dropout(super().features(batch), 0.5)


class LeavesTorch(Good):
    def features(self, batch: Batch) -> Tensor:
        return super().features(batch).detach()


class Peeks(Good):
    def score(self, batch: Batch) -> Tensor:
        return super().score(batch) + batch.labels


class InOrder(Good):
    def features(self, batch: Batch) -> Tensor:
        part = batch.genes if batch.genes is not None else batch.image
        assert part is not None
        steps = torch.arange(1.0, batch.neighbours.shape[1] + 1) * batch.present
        ordered = torch.einsum("ckd,ck->cd", part[batch.neighbours], steps)
        fused = super().features(batch)
        return fused + nn.functional.pad(ordered, (0, fused.shape[1] - ordered.shape[1]))


class Unmasked(Good):
    def features(self, batch: Batch) -> Tensor:
        part = batch.genes if batch.genes is not None else batch.image
        assert part is not None
        ordered = part[batch.neighbours].sum(dim=1)
        fused = super().features(batch)
        return fused + nn.functional.pad(ordered, (0, fused.shape[1] - ordered.shape[1]))


class BatchNormal(Good):
    def features(self, batch: Batch) -> Tensor:
        fused = super().features(batch)
        return fused - fused.mean(dim=0)


class Forgets(Good):
    def __init__(self, dims: Dims) -> None:
        super().__init__(dims)
        self.offset = torch.rand(1)

    def classify(self, features: Tensor) -> Tensor:
        return super().classify(features) + self.offset


class Grows(Good):
    def warm_start(self, *batches: Batch) -> None:
        self.register_buffer("mean", torch.zeros(len(batches[0].neighbours)))


def test_a_good_head_passes() -> None:
    check_head(Good)


@pytest.mark.parametrize(
    ("head", "sentence"),
    [
        (NoOptions, "NoOptions.Options must derive from"),
        (SameNames, r"phases must have different names, found \['fit', 'fit'\]"),
        (NoEpochs, "phases must have epochs, found .0."),
        (Words, "a curriculum must be a tuple of Phase"),
        (VectorLoss, r"losses must be named scalars, found \{'bce': \(96,\)\}"),
        (NaNLoss, "built for image and genes, in phase 'fit', the loss must be finite"),
        (NoGradient, "the loss must have a gradient"),
        (ZeroGradient, "must have a non-zero gradient"),
        (NaNWithoutImage, "built for both, without an image, its logits must be finite"),
        (Column, r"it must return \(96,\) logits, found \(96, 1\)"),
        (Scaled, r"classify\(features\(batch\)\) must equal score\(batch\)"),
        (Restless, "must equal score|the same batch must give the same scores"),
        (LeavesTorch, "a score must have a finite gradient with respect to the genes"),
        (Peeks, "scores must not depend on labels|must equal score"),
        (InOrder, "must not depend on the order of neighbours"),
        (Unmasked, "must not depend on padded entries"),
        (BatchNormal, "must not depend on the other centres of its batch"),
        (Forgets, "a reloaded head must score the same"),
        (Grows, "its state does not load into a new head"),
    ],
)
def test_a_violation_is_reported(head: type[Good], sentence: str) -> None:
    with pytest.raises(ContractError, match=sentence):
        check_head(head)


def test_the_example_batch_has_both_classes_unknown_labels_and_padding() -> None:
    batch = example_batch(BOTH)
    assert set(batch.labels.tolist()) == {-1, 0, 1}
    assert not batch.present.all()
    assert batch.present[:, 0].all()
    assert (batch.weights[batch.labelled] == 1).all()
    assert (batch.weights[~batch.labelled] == 0).all()
