"""The head ``spacrd``."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import torch

from spacrd_core.learning.head import Dims
from spacrd_core.testing import HeadContract
from spacrd_fusion.spacrd import SpaCRD

if TYPE_CHECKING:
    from conftest import MakeBatch

    from spacrd_core.contracts.head import Build
    from spacrd_core.learning.head import Batch

BOTH, GENES, IMAGE = Dims(genes=12, image=6), Dims(genes=12, image=0), Dims(genes=0, image=6)
EVERY = pytest.mark.parametrize("dims", [BOTH, GENES, IMAGE], ids=["both", "genes", "image"])
SMALL = {"preset": "paper", "hidden": (16, 8), "width": 8, "heads": 2, "latent_hidden": (8,), "latent": 4}


def head(dims: Dims, **options: Any) -> SpaCRD:
    torch.manual_seed(0)
    return SpaCRD(SpaCRD.Options.model_validate(options), dims=dims)


def batch_for(make_batch: MakeBatch, dims: Dims, **how: Any) -> Batch:
    return make_batch(genes=dims.genes, image=dims.image, **how)


def train(model: SpaCRD, batch: Batch, *, rate: float, epochs: int) -> None:
    torch.manual_seed(0)
    model.train().warm_start(batch)
    for phase in model.curriculum():
        optimiser = torch.optim.AdamW(model.parameters(), lr=rate)
        for _ in range(epochs):
            loss = torch.stack(list(model.losses(batch, phase.name).values())).sum()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    model.eval()


class TestDefault(HeadContract):
    @pytest.fixture
    def build(self) -> Build:
        return lambda dims: SpaCRD(SpaCRD.Options(), dims=dims)


class TestPaper(HeadContract):
    @pytest.fixture
    def build(self) -> Build:
        return lambda dims: SpaCRD(SpaCRD.Options.model_validate(SMALL), dims=dims)


def test_training_is_three_phases_with_the_settings_of_the_options() -> None:
    phases = head(BOTH, preset="paper", hidden=(8,), width=8).curriculum()
    assert [(phase.name, phase.epochs) for phase in phases] == [("align", 100), ("reconstruct", 50), ("detect", 50)]
    assert {(phase.learning_rate, phase.weight_decay, phase.batch_size) for phase in phases} == {(1e-5, 0.0, 512)}


@pytest.mark.parametrize("dims", [GENES, IMAGE], ids=["genes", "image"])
def test_with_one_modality_there_is_nothing_to_align(dims: Dims) -> None:
    assert [phase.name for phase in head(dims).curriculum()] == ["reconstruct", "detect"]


def test_a_phase_of_no_epochs_is_left_out() -> None:
    assert [phase.name for phase in head(BOTH, align_epochs=0, reconstruct_epochs=0).curriculum()] == ["detect"]


@EVERY
@pytest.mark.parametrize("options", [{"modality_dropout": 0.0}, SMALL], ids=["default", "paper"])
def test_gradients_reach_every_parameter_a_phase_trains(
    make_batch: MakeBatch, dims: Dims, options: dict[str, Any]
) -> None:
    model, batch = head(dims, **options), batch_for(make_batch, dims)
    model.warm_start(batch)
    for phase in model.curriculum():
        model.zero_grad(set_to_none=True)
        torch.stack(list(model.losses(batch, phase.name).values())).sum().backward()
        reached = {name for name, weight in model.named_parameters() if weight.grad is not None and weight.grad.any()}
        parts = {"align": ("encoders",), "reconstruct": ("encoders", "fusion", "latents")}
        trained = parts.get(phase.name, ("encoders", "fusion", "latents", "classifier"))
        wanted = {name for name, _ in model.named_parameters() if name.startswith(trained)}
        # Before batch norm, and in keys before a softmax, a constant changes nothing: such a bias has no gradient.
        assert wanted >= reached
        assert {name for name in wanted - reached if not name.endswith("bias")} == set()


def test_each_phase_names_the_terms_it_minimises(make_batch: MakeBatch) -> None:
    model, batch = head(BOTH), batch_for(make_batch, BOTH)
    model.warm_start(batch)
    regularisers = {"reconstruction", "prior", "separation"}
    assert set(model.losses(batch, "align")) == {"contrastive"}
    assert set(model.losses(batch, "reconstruct")) == regularisers
    assert set(model.losses(batch, "detect")) == {"detection", *regularisers}


def test_detecting_counts_reconstruction_by_its_weight(make_batch: MakeBatch) -> None:
    model, batch = head(GENES, reconstruction_weight=0.25).eval(), batch_for(make_batch, GENES)
    model.warm_start(batch)
    alone, beside = model.losses(batch, "reconstruct"), model.losses(batch, "detect")
    assert all(torch.allclose(beside[name], 0.25 * alone[name]) for name in alone)


def test_detection_is_the_weighted_cross_entropy_of_labelled_spots(make_batch: MakeBatch) -> None:
    model, batch = head(GENES, expert=False).eval(), batch_for(make_batch, GENES)
    model.warm_start(batch)
    weights = torch.where(batch.labels == 1, 1.8, torch.where(batch.labels == 0, 0.2, 0.0))
    batch = replace(batch, weights=weights)
    known = batch.labelled
    probability = torch.sigmoid(model.score(batch))[known]
    right = torch.where(batch.labels[known] == 1, probability, 1 - probability)
    assert torch.allclose(model.losses(batch, "detect")["detection"], -(right.log() * weights[known]).mean(), atol=1e-5)


def test_a_spot_without_a_label_is_reconstructed_but_drawn_to_no_class(make_batch: MakeBatch) -> None:
    model, batch = head(GENES).eval(), batch_for(make_batch, GENES)
    model.warm_start(batch)
    known = [spot for spot in range(len(batch.labels)) if batch.labels[spot] >= 0]
    everything, labelled = (
        model.losses(batch, "detect"),
        model.losses(batch_for(make_batch, GENES, centres=known), "detect"),
    )
    assert torch.allclose(everything["prior"], labelled["prior"])
    assert torch.allclose(everything["detection"], labelled["detection"])
    assert not torch.allclose(everything["reconstruction"], labelled["reconstruction"])


def test_a_batch_without_one_modality_has_nothing_to_contrast(make_batch: MakeBatch) -> None:
    model, batch = head(BOTH), batch_for(make_batch, BOTH)
    model.warm_start(batch)
    losses = model.losses(replace(batch, image=None), "align")
    losses["contrastive"].backward()
    assert losses["contrastive"].item() == 0.0


@EVERY
def test_a_batch_of_one_centre_can_be_trained_on(make_batch: MakeBatch, dims: Dims) -> None:
    model, one = head(dims, **SMALL), batch_for(make_batch, dims, centres=[12])
    for phase in model.curriculum():
        assert all(loss.isfinite() for loss in model.losses(one, phase.name).values())


def test_every_spot_is_encoded_once(make_batch: MakeBatch, monkeypatch: pytest.MonkeyPatch) -> None:
    model, batch = head(BOTH, modality_dropout=0.0), batch_for(make_batch, BOTH)
    rows: list[int] = []
    for encoder in model.encoders.values():
        encoder.register_forward_pre_hook(lambda _, inputs: rows.append(len(inputs[0])))
    model.losses(batch, "detect")
    assert rows == [len(batch.labels)] * 2


@EVERY
def test_the_same_random_state_trains_the_same_head(make_batch: MakeBatch, dims: Dims) -> None:
    batch = batch_for(make_batch, dims)
    states = []
    for _ in range(2):
        model = head(dims)
        train(model, batch, rate=1e-2, epochs=3)
        states.append(model.state_dict())
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])


@EVERY
def test_scoring_is_deterministic_and_leaves_the_random_state_alone(make_batch: MakeBatch, dims: Dims) -> None:
    model, batch = head(dims).eval(), batch_for(make_batch, dims)
    model.warm_start(batch)
    before = torch.get_rng_state()
    assert torch.equal(model.score(batch), model.score(batch))
    assert torch.equal(torch.get_rng_state(), before)


@EVERY
def test_it_learns_tissue_and_finds_it_in_unseen_tissue(make_batch: MakeBatch, dims: Dims) -> None:
    model = head(dims)
    train(model, batch_for(make_batch, dims), rate=1e-2, epochs=25)
    unseen = batch_for(make_batch, dims, seed=1)
    with torch.inference_mode():
        called = model.score(unseen) > 0
    assert (called == (unseen.labels == 1))[unseen.labelled].float().mean() > 0.95


@pytest.mark.parametrize("missing", ["genes", "image"])
def test_trained_on_both_it_still_finds_tissue_by_either(make_batch: MakeBatch, missing: str) -> None:
    model = head(BOTH)
    train(model, batch_for(make_batch, BOTH), rate=1e-2, epochs=25)
    unseen = replace(batch_for(make_batch, BOTH, seed=1), **{missing: None})
    with torch.inference_mode():
        called = model.score(unseen) > 0
    assert (called == (unseen.labels == 1))[unseen.labelled].float().mean() > 0.9


def test_unit_tokens_are_scaled_over_the_features_of_a_spot(make_batch: MakeBatch) -> None:
    model, batch = head(GENES, **SMALL).eval(), batch_for(make_batch, GENES)
    seen: list[torch.Tensor] = []
    model.fusion.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]["genes"]))
    model.score(batch)
    assert torch.allclose(seen[0].norm(dim=1), torch.ones(len(batch.labels)), atol=1e-5)


def test_alignment_brings_the_two_codes_of_a_spot_together(make_batch: MakeBatch) -> None:
    batch, model = make_batch(genes=12), head(BOTH, reconstruct_epochs=0, detect_epochs=0)
    assert batch.genes is not None
    batch = replace(batch, image=-batch.genes[:, :6])
    model.warm_start(batch)
    before = model.losses(batch, "align")["contrastive"]
    train(model, batch, rate=1e-2, epochs=30)
    assert model.losses(batch, "align")["contrastive"] < 0.8 * before
