"""The normalisation of the released code."""

from dataclasses import replace

import pytest
import torch
from fusion.conftest import MakeBatch, warm_start
from torch.nn import functional as F

from spacrd_core.cohort.batch import Dims
from spacrd_core.contracts.head import Build
from spacrd_core.testing import HeadContract
from spacrd_fusion.neighbour_norm import neighbour_scale
from spacrd_fusion.spacrd import SpaCRDHead


class TestNeighbourNorm(HeadContract):
    @pytest.fixture
    def build(self) -> Build:
        return lambda dims: SpaCRDHead(SpaCRDHead.Options(neighbour_norm=True), dims=dims)


def test_each_feature_has_length_one_over_a_neighbourhood(make_batch: MakeBatch) -> None:
    batch = make_batch(genes=5, image=0)
    assert batch.genes is not None
    scaled = batch.genes[batch.neighbours] * neighbour_scale(batch.genes, batch)[:, None]
    lengths = torch.where(batch.present[..., None], scaled, 0.0).norm(dim=1)
    assert not batch.present.all()
    assert torch.allclose(lengths, torch.ones(len(batch.labels), 5), atol=1e-6)


def test_a_feature_that_is_0_in_a_whole_neighbourhood_stays_0_and_has_a_gradient(make_batch: MakeBatch) -> None:
    batch = make_batch(genes=5, image=0)
    tokens = torch.zeros_like(batch.genes).requires_grad_()  # type: ignore[arg-type]
    scaled = tokens[batch.centres] * neighbour_scale(tokens, batch)
    scaled.sum().backward()
    assert not scaled.any()
    assert tokens.grad is not None
    assert tokens.grad.isfinite().all()


@pytest.mark.parametrize("image", [6, 0], ids=["both modalities", "genes alone"])
def test_attention_has_the_output_of_keys_and_values_of_normalised_copies(make_batch: MakeBatch, image: int) -> None:
    batch = make_batch(genes=12, image=image)
    options = SpaCRDHead.Options(neighbour_norm=True, components=0)
    torch.manual_seed(0)
    head = SpaCRDHead(options, dims=Dims(genes=12, image=6)).eval()
    features = {name: values for name in ("genes", "image") if (values := getattr(batch, name)) is not None}
    codes = {name: head.encoders[name](values) for name, values in features.items()}
    copies, each = {}, torch.arange(batch.neighbours.numel()).view_as(batch.neighbours)
    for name in ("genes", "image"):
        near = torch.where(batch.present[..., None], codes.get(name, codes["genes"])[batch.neighbours], 0.0)
        copies[name] = F.normalize(near, dim=1).flatten(0, 1)
    expected = head.fusion(copies, replace(batch, neighbours=each))
    assert torch.allclose(head._fuse(batch), expected, atol=1e-5)


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
