"""The normalisation of the released code."""

import pytest
import torch
from fusion.conftest import MakeBatch, warm_start

from spacrd_core.cohort.batch import Dims
from spacrd_core.contracts.head import Build
from spacrd_core.testing import HeadContract
from spacrd_fusion.neighbour_norm import normalise_over_neighbours
from spacrd_fusion.spacrd import SpaCRDHead


class TestNeighbourNorm(HeadContract):
    @pytest.fixture
    def build(self) -> Build:
        return lambda dims: SpaCRDHead(SpaCRDHead.Options(neighbour_norm=True), dims=dims)


def test_each_feature_has_length_one_over_a_neighbourhood(make_batch: MakeBatch) -> None:
    batch = make_batch(genes=5, image=0)
    assert batch.genes is not None
    scaled, indexed = normalise_over_neighbours({"genes": batch.genes}, batch)
    tokens = scaled["genes"][indexed.neighbours]
    assert torch.allclose(tokens.norm(dim=1), torch.ones(len(batch.labels), 5), atol=1e-6)
    assert not tokens[~batch.present].any()


def test_the_centre_stays_first_and_neighbourhoods_share_no_token(make_batch: MakeBatch) -> None:
    batch = make_batch(genes=5, image=0)
    assert batch.genes is not None
    scaled, indexed = normalise_over_neighbours({"genes": batch.genes}, batch)
    norm = torch.where(batch.present[..., None], batch.genes[batch.neighbours], 0.0).norm(dim=1)
    assert torch.allclose(scaled["genes"][indexed.centres] * norm, batch.genes[batch.centres], atol=1e-5)
    assert len(indexed.neighbours.unique()) == indexed.neighbours.numel()


def test_it_is_on_in_the_preset_paper_only() -> None:
    presets = ("default", "paper", "paper-clean")
    options = [SpaCRDHead.Options.model_validate({"preset": preset}) for preset in presets]
    assert [each.neighbour_norm for each in options] == [False, True, False]


def test_it_changes_what_is_fused(make_batch: MakeBatch) -> None:
    batch = make_batch(genes=12, image=6)
    for preset in ("default", "paper-clean"):
        options = SpaCRDHead.Options.model_validate({"preset": preset})
        torch.manual_seed(0)
        head = SpaCRDHead(options, dims=Dims(genes=12, image=6)).eval()
        warm_start(head, batch)
        before = head.features(batch)
        head.options = options.model_copy(update={"neighbour_norm": True})
        assert not torch.allclose(before, head.features(batch))
