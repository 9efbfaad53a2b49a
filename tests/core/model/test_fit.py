"""The batches of a phase."""

from collections import Counter
from typing import Any

import pytest
import torch
from core.conftest import MakeData
from torch import Tensor, nn

from spacrd_core.cards import ComponentOptions
from spacrd_core.cohort.batch import Batch, Dims
from spacrd_core.cohort.cohort import Cohort
from spacrd_core.cohort.options import CohortOptions
from spacrd_core.cohort.preprocessing import Preprocessor
from spacrd_core.contracts.head import MODALITIES, example_batch
from spacrd_core.model.fit import fit, with_modality_dropout
from spacrd_core.model.head import Head, Phase


class Recorder(Head):
    """A head that keeps the batches it is trained on."""

    Options = ComponentOptions

    def __init__(self) -> None:
        super().__init__(ComponentOptions(), dims=Dims(genes=20, image=6))
        self.weight = nn.Parameter(torch.ones(()))
        self.seen: dict[str, list[Batch]] = {"single": [], "blocks": []}

    def curriculum(self) -> tuple[Phase, ...]:
        return (
            Phase("single", 1, learning_rate=0.1, batch_size=40, single_spots=True),
            Phase("blocks", 1, learning_rate=0.1, batch_size=40),
        )

    def losses(self, batch: Batch, phase: str) -> dict[str, Tensor]:
        self.seen[phase].append(batch)
        return {"loss": self.weight.square()}

    def features(self, batch: Batch) -> Any:
        raise NotImplementedError

    def classify(self, features: Tensor) -> Any:
        raise NotImplementedError


@pytest.fixture
def cohort(make_data: MakeData) -> Cohort:
    sections = [make_data("A", 1), make_data("B", 2)]
    prepared = Preprocessor.fit_transform(sections, CohortOptions(panel_genes=20))[1]
    return Cohort.from_sections(prepared, torch.device("cpu"))


def test_only_a_phase_of_single_spots_has_batches_without_neighbours(cohort: Cohort) -> None:
    head = Recorder()
    list(fit(head, [cohort], seed=0))
    widths = {phase: {batch.neighbours.shape[1] for batch in batches} for phase, batches in head.seen.items()}
    assert widths == {"single": {1}, "blocks": {9}}
    for batches in head.seen.values():
        assert sum(len(batch.labels) for batch in batches) == len(cohort)


def test_a_batch_loses_either_modality_as_often_with_the_probability_of_the_phase() -> None:
    torch.manual_seed(0)
    phase = Phase("detect", 1, learning_rate=0.1, modality_dropout=0.4)
    batches = [example_batch(MODALITIES["image and genes"])] * 1000
    seen = Counter(batch.modalities for batch in with_modality_dropout(batches, phase))
    assert seen["image+genes"] == pytest.approx(600, abs=50)
    assert seen["image"] == pytest.approx(200, abs=40)
    assert seen["genes"] == pytest.approx(200, abs=40)


@pytest.mark.parametrize("modalities", ["genes only", "image only"])
def test_a_batch_keeps_its_only_modality(modalities: str) -> None:
    phase = Phase("detect", 1, learning_rate=0.1, modality_dropout=0.9)
    batch = example_batch(MODALITIES[modalities])
    assert all(kept is batch for kept in with_modality_dropout([batch] * 20, phase))


def test_a_phase_without_modality_dropout_draws_no_random_number() -> None:
    batch, before = example_batch(MODALITIES["image and genes"]), torch.get_rng_state()
    kept = list(with_modality_dropout([batch], Phase("align", 1, learning_rate=0.1)))
    assert kept[0] is batch
    assert torch.equal(torch.get_rng_state(), before)
