"""The released code's normalisation, kept to be measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch

from spacrd_core.cohort.batch import Dims
from spacrd_core.testing import HeadContract
from spacrd_fusion.neighbour_norm import scaled_over_neighbours
from spacrd_fusion.spacrd import SpaCRD

if TYPE_CHECKING:
    from conftest import MakeBatch

    from spacrd_core.contracts.head import Build


class TestNeighbourNorm(HeadContract):
    @pytest.fixture
    def build(self) -> Build:
        return lambda dims: SpaCRD(SpaCRD.Options(neighbour_norm=True), dims=dims)


def test_each_feature_has_length_one_over_a_neighbourhood(make_batch: MakeBatch) -> None:
    batch = make_batch(genes=5, image=0)
    assert batch.genes is not None
    scaled, reading = scaled_over_neighbours({"genes": batch.genes}, batch)
    around = scaled["genes"][reading.neighbours]
    assert torch.allclose(around.norm(dim=1), torch.ones(len(batch.labels), 5), atol=1e-6)
    assert not around[~batch.present].any()


def test_the_centre_stays_first_and_neighbourhoods_stay_apart(make_batch: MakeBatch) -> None:
    batch = make_batch(genes=5, image=0)
    assert batch.genes is not None
    scaled, reading = scaled_over_neighbours({"genes": batch.genes}, batch)
    norm = torch.where(batch.present[..., None], batch.genes[batch.neighbours], 0.0).norm(dim=1)
    assert torch.allclose(scaled["genes"][reading.centres] * norm, batch.genes[batch.centres], atol=1e-5)
    assert len(reading.neighbours.unique()) == reading.neighbours.numel()


def test_it_is_off_in_both_presets_and_changes_what_is_fused(make_batch: MakeBatch) -> None:
    batch = make_batch(genes=12, image=6)
    for preset in ("default", "paper"):
        options = SpaCRD.Options.model_validate({"preset": preset})
        assert not options.neighbour_norm
        torch.manual_seed(0)
        head = SpaCRD(options, dims=Dims(genes=12, image=6)).eval()
        head.warm_start(batch)
        before = head.features(batch)
        head.options = options.model_copy(update={"neighbour_norm": True})
        assert not torch.allclose(before, head.features(batch))
