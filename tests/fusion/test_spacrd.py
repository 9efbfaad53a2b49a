"""The head ``spacrd``."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import torch

from spacrd_core.cohort.batch import Dims
from spacrd_core.testing import HeadContract
from spacrd_fusion.spacrd import SpaCRD

if TYPE_CHECKING:
    from conftest import MakeBatch

    from spacrd_core.cohort.batch import Batch
    from spacrd_core.contracts.head import Build

BOTH, GENES, IMAGE = Dims(genes=12, image=6), Dims(genes=12, image=0), Dims(genes=0, image=6)
EVERY = pytest.mark.parametrize("dims", [BOTH, GENES, IMAGE], ids=["both", "genes", "image"])
ALONE = pytest.mark.parametrize("dims", [GENES, IMAGE], ids=["genes", "image"])
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


@pytest.mark.parametrize(
    "options",
    [
        {"attention": False},
        {"reconstruction": False},
        {"align_epochs": 0},
        {"reconstruct_epochs": 0},
        {"expert": False},
        {"smoothing": False},
        {"attention": False, "reconstruction": False, "align_epochs": 0, "expert": False},
        SMALL | {"attention": False},
        SMALL | {"reconstruction": False},
        SMALL | {"expert": True},
    ],
    ids=str,
)
class TestAblation(HeadContract):
    @pytest.fixture
    def build(self, options: dict[str, Any]) -> Build:
        return lambda dims: head(dims, **options)


class TestPaper(HeadContract):
    @pytest.fixture
    def build(self) -> Build:
        return lambda dims: SpaCRD(SpaCRD.Options.model_validate(SMALL), dims=dims)


def test_training_is_three_phases_with_the_settings_of_the_options() -> None:
    phases = head(BOTH, preset="paper", hidden=(8,), width=8).curriculum()
    assert [(phase.name, phase.epochs) for phase in phases] == [("align", 100), ("reconstruct", 50), ("detect", 50)]
    assert {(phase.learning_rate, phase.weight_decay, phase.batch_size) for phase in phases} == {(1e-5, 0.0, 512)}


@ALONE
def test_with_one_modality_there_is_nothing_to_align(dims: Dims) -> None:
    assert [phase.name for phase in head(dims).curriculum()] == ["reconstruct", "detect"]


def test_a_phase_of_no_epochs_stays_and_may_be_given_a_length() -> None:
    phases = head(BOTH, align_epochs=0, reconstruct_epochs=0).curriculum()
    assert {phase.name: phase.epochs > 0 for phase in phases} == {"align": False, "reconstruct": False, "detect": True}


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
    assert model.losses(replace(batch, image=None), "align") == {}


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


@pytest.mark.parametrize(
    ("dims", "options", "there"),
    [
        (GENES, {}, True),
        (GENES, {"expert": False}, False),
        (GENES, {"preset": "paper", "hidden": (8,), "width": 8}, False),
        (BOTH, {}, True),
        (IMAGE, {}, False),
    ],
    ids=["genes", "genes without", "paper", "both", "image"],
)
def test_a_linear_expert_stands_beside_a_head_that_reads_genes(
    dims: Dims, options: dict[str, Any], *, there: bool
) -> None:
    model = head(dims, **options)
    assert (model.expert is not None) is there
    assert any(name.startswith("expert.") for name in model.state_dict()) is there


def test_the_experts_logit_is_added_to_that_of_the_deep_head(make_batch: MakeBatch) -> None:
    model, batch = head(GENES).eval(), batch_for(make_batch, GENES)
    model.warm_start(batch)
    assert model.expert is not None
    whole, features = model.score(batch), model.features(batch)
    model.expert.direction.zero_()
    model.expert.intercept.zero_()
    assert features.shape[1] == 2 * model.options.latent + 1
    assert torch.allclose(whole - model.score(batch), features[:, -1], atol=1e-5)
    assert features[:, -1].any()


def test_the_expert_speaks_where_there_is_no_image_and_only_there(make_batch: MakeBatch) -> None:
    model, batch = head(BOTH).eval(), batch_for(make_batch, BOTH)
    model.warm_start(batch)
    told = {view: bool(model.features(batch.seen_by(view))[:, -1].any()) for view in ("image+genes", "genes", "image")}
    assert told == {"image+genes": False, "genes": True, "image": False}


def test_the_experts_logit_is_read_over_the_neighbourhood(make_batch: MakeBatch) -> None:
    model, batch = head(GENES).eval(), batch_for(make_batch, GENES)
    model.warm_start(batch)
    assert model.expert is not None
    assert batch.genes is not None
    alone = model.expert(batch.genes)
    wanted = [alone[around[there]].mean() for around, there in zip(batch.neighbours, batch.present, strict=True)]
    assert torch.allclose(model.features(batch)[:, -1], torch.stack(wanted), atol=1e-5)


def test_the_expert_alone_finds_tissue_before_anything_else_is_trained(make_batch: MakeBatch) -> None:
    model, unseen = head(GENES).eval(), batch_for(make_batch, GENES, seed=1)
    model.warm_start(batch_for(make_batch, GENES))
    called = model.features(unseen)[:, -1] > 0
    assert (called == (unseen.labels == 1))[unseen.labelled].float().mean() > 0.95


def test_spots_without_a_label_teach_the_expert_nothing(make_batch: MakeBatch) -> None:
    batch = batch_for(make_batch, GENES)
    known = [spot for spot in range(len(batch.labels)) if batch.labels[spot] >= 0]
    everything, labelled = head(GENES), head(GENES)
    everything.warm_start(batch)
    labelled.warm_start(batch_for(make_batch, GENES, centres=known))
    assert everything.expert is not None
    assert labelled.expert is not None
    assert torch.allclose(everything.expert.direction, labelled.expert.direction, atol=1e-5)
    assert everything.expert.direction.any()


def test_spots_of_one_class_leave_the_expert_silent(make_batch: MakeBatch) -> None:
    model, batch = head(GENES).eval(), batch_for(make_batch, GENES)
    model.warm_start(replace(batch, labels=torch.zeros_like(batch.labels)))
    assert not model.features(batch)[:, -1].any()


def test_the_expert_is_not_trained_with_the_deep_head(make_batch: MakeBatch) -> None:
    model, batch = head(GENES), batch_for(make_batch, GENES)
    train(model, batch, rate=1e-2, epochs=2)
    other = head(GENES)
    other.warm_start(batch)
    assert model.expert is not None
    assert other.expert is not None
    assert torch.equal(model.expert.direction, other.expert.direction)


@EVERY
def test_without_attention_neighbours_are_not_looked_at(make_batch: MakeBatch, dims: Dims) -> None:
    batch = batch_for(make_batch, dims)
    others = torch.cat([batch.neighbours[:, :1], batch.neighbours[:, 1:].roll(7, dims=0)], dim=1)
    changed = replace(batch, neighbours=others, present=torch.ones_like(batch.present))
    for attention in (True, False):
        model = head(dims, attention=attention, expert=False)
        train(model, batch, rate=1e-2, epochs=1)
        assert torch.equal(model.features(changed), model.features(batch)) is not attention


@EVERY
def test_without_attention_it_still_learns_tissue(make_batch: MakeBatch, dims: Dims) -> None:
    model = head(dims, attention=False, expert=False)
    train(model, batch_for(make_batch, dims), rate=1e-2, epochs=25)
    unseen = batch_for(make_batch, dims, seed=1)
    called = model.score(unseen) > 0
    assert (called == (unseen.labels == 1))[unseen.labelled].float().mean() > 0.9


def test_without_reconstruction_there_is_no_such_phase() -> None:
    assert [phase.name for phase in head(BOTH, reconstruction=False).curriculum()] == ["align", "detect"]
    longer = head(BOTH, reconstruction=False, reconstruct_epochs=9)
    assert [phase.name for phase in longer.curriculum()] == ["align", "detect"]


@EVERY
def test_without_reconstruction_detection_is_all_that_is_minimised(make_batch: MakeBatch, dims: Dims) -> None:
    model, batch = head(dims, reconstruction=False), batch_for(make_batch, dims)
    model.warm_start(batch)
    terms = model.losses(batch, "detect")
    assert set(terms) == {"detection"}
    terms["detection"].backward()
    reconstructing = [*model.latents.decoder.parameters(), model.latents.class_means]
    assert all(weight.grad is None for weight in reconstructing)


def test_without_alignment_the_modalities_are_never_contrasted(make_batch: MakeBatch) -> None:
    model, batch = head(BOTH, align_epochs=0), batch_for(make_batch, BOTH)
    model.warm_start(batch)
    phases = [phase.name for phase in model.curriculum() if phase.epochs]
    assert phases == ["reconstruct", "detect"]
    assert all("contrastive" not in model.losses(batch, phase) for phase in phases)


@pytest.mark.parametrize("smoothing", [True, False])
def test_calls_are_smoothed_where_the_options_say(*, smoothing: bool) -> None:
    assert head(GENES, smoothing=smoothing).smooths is smoothing


@pytest.mark.parametrize(
    ("dims", "options", "either"),
    [
        (BOTH, {}, True),
        (BOTH, {"modality_dropout": 0.0}, False),
        (BOTH, SMALL, False),
        (GENES, {}, False),
        (IMAGE, {}, False),
    ],
    ids=["both", "no dropout", "paper", "genes", "image"],
)
def test_either_modality_is_read_alone_where_training_prepared_for_it(
    dims: Dims, options: dict[str, Any], *, either: bool
) -> None:
    assert head(dims, **options).reads_either is either


def test_each_preset_asks_how_sections_are_to_be_read() -> None:
    default, paper = (SpaCRD.reads(SpaCRD.Options.model_validate({"preset": name})) for name in ("default", "paper"))
    assert default == {"panel_genes": 4000, "gene_centring": True, "gene_factors": 30}
    assert paper == {
        "panel_genes": 3000,
        "neighbours": 7,
        "radius_pitches": 3.0,
        "gene_scale": "range",
        "image_scale": "range",
    }
