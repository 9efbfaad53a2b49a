"""Spots on a lattice with their neighbourhoods, some padded, some unlabelled."""

from typing import Protocol

import numpy as np
import pytest
import torch

from spacrd_core.cohort.batch import Batch
from spacrd_core.cohort.neighbourhood_means import NeighbourhoodMeans
from spacrd_core.cohort.training_spots import TrainingSpots
from spacrd_core.model.head import Head

SIDE = 10
SPOTS = SIDE**2


def warm_start(head: Head, *batches: Batch) -> None:
    """Fit a head to all training spots at once, as an ensemble does before the first phase."""
    head.fit_training_spots(TrainingSpots.from_batches(batches))
    head.warm_start(*batches)


def training_spots(
    features: torch.Tensor, labels: torch.Tensor | None = None, weights: torch.Tensor | None = None
) -> TrainingSpots:
    """Training spots without neighbours; unlabelled if no labels are given."""
    spots = len(features)
    labels = torch.full((spots,), -1) if labels is None else labels
    weights = torch.ones(spots) if weights is None else weights
    alone = NeighbourhoodMeans.of(features.numpy(), np.arange(spots)[:, None], np.ones((spots, 1), dtype=bool))
    return TrainingSpots((alone,), labels.numpy(), weights.numpy())


class MakeBatch(Protocol):
    def __call__(
        self,
        *,
        genes: int = 0,
        image: int = 0,
        seed: int = 0,
        signal: float = 1.5,
        unlabelled: bool = True,
        centres: list[int] | None = None,
    ) -> Batch: ...


@pytest.fixture
def make_batch() -> MakeBatch:
    """A batch with the left half normal and the right half cancer; three features of each modality carry the signal.

    ``centres`` restricts the centres of the batch, not its spots. With ``unlabelled``, the first row has no labels.
    """

    def make(
        *,
        genes: int = 0,
        image: int = 0,
        seed: int = 0,
        signal: float = 1.5,
        unlabelled: bool = True,
        centres: list[int] | None = None,
    ) -> Batch:
        generator = torch.Generator().manual_seed(seed)
        row, column = torch.arange(SPOTS) // SIDE, torch.arange(SPOTS) % SIDE
        cancer = (column >= SIDE // 2).long()
        labels = torch.where(unlabelled & (row == 0), -1, cancer)
        neighbours, present = _cross(row, column)
        offset = signal * (2.0 * cancer[:, None] - 1)

        def features(width: int) -> torch.Tensor | None:
            values = torch.randn(SPOTS, width, generator=generator)
            values[:, :3] += offset
            return values if width else None

        selected = torch.arange(SPOTS) if centres is None else torch.tensor(centres)
        weights = (labels >= 0).float()
        return Batch(
            features(genes),
            features(image),
            neighbours[selected],
            present[selected],
            labels[selected],
            weights[selected],
        )

    return make


def _cross(row: torch.Tensor, column: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Each spot and its four neighbours on the lattice; positions outside it are padding."""
    steps = torch.tensor([(0, 0), (0, 1), (0, -1), (1, 0), (-1, 0)])
    rows, columns = row[:, None] + steps[:, 0], column[:, None] + steps[:, 1]
    present = (rows >= 0) & (rows < SIDE) & (columns >= 0) & (columns < SIDE)
    return torch.where(present, rows * SIDE + columns, 0), present
