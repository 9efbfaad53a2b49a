"""The batches of a phase."""

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
from spacrd_core.model.fit import fit
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
