"""The head ``spacrd``."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from fusion.conftest import MakeBatch, warm_start

from spacrd_core.cohort.batch import Batch, Dims, neighbourhood_mean
from spacrd_core.contracts.head import Build
from spacrd_core.errors import ConfigError
from spacrd_core.model.fit import train_steps, with_modality_dropout
from spacrd_core.model.optimiser import AdamW
from spacrd_core.testing import HeadContract
from spacrd_fusion.spacrd import SpaCRDHead

BOTH, GENES, IMAGE = Dims(genes=12, image=6), Dims(genes=12, image=0), Dims(genes=0, image=6)
ALL_DIMS = pytest.mark.parametrize("dims", [BOTH, GENES, IMAGE], ids=["both", "genes", "image"])
ONE_MODALITY = pytest.mark.parametrize("dims", [GENES, IMAGE], ids=["genes", "image"])
SMALL_PAPER = {"preset": "paper", "hidden": (16, 8), "width": 8, "heads": 2, "latent_hidden": (8,), "latent": 4}
DEEP = {"deep_genes": True}
SMALL_CLEAN = SMALL_PAPER | {"preset": "paper-clean"}


def head(dims: Dims, **options: Any) -> SpaCRDHead:
    torch.manual_seed(0)
    return SpaCRDHead(SpaCRDHead.Options.model_validate(options), dims=dims)


def batch_for(make_batch: MakeBatch, dims: Dims, **kwargs: Any) -> Batch:
    return make_batch(genes=dims.genes, image=dims.image, **kwargs)


def train(model: SpaCRDHead, batch: Batch, *, rate: float, epochs: int) -> None:
    torch.manual_seed(0)
    warm_start(model.train(), batch)
    for phase in model.curriculum():
        optimiser = AdamW(model.parameters(), learning_rate=rate, weight_decay=0.01)
        train_steps(model, with_modality_dropout([batch] * epochs, phase), phase, optimiser)
    model.eval()


class TestDefault(HeadContract):
    @pytest.fixture
    def build(self) -> Build:
        return lambda dims: SpaCRDHead(SpaCRDHead.Options(), dims=dims)


@pytest.mark.ci_cases(3)
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
        SMALL_PAPER | {"attention": False},
        SMALL_PAPER | {"reconstruction": False},
        SMALL_PAPER | {"expert": True},
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
        return lambda dims: SpaCRDHead(SpaCRDHead.Options.model_validate(SMALL_PAPER), dims=dims)


class TestPaperClean(HeadContract):
    @pytest.fixture
    def build(self) -> Build:
        return lambda dims: head(dims, **SMALL_CLEAN)


def test_training_is_three_phases_with_the_settings_of_the_options() -> None:
    phases = head(BOTH, preset="paper", hidden=(8,), width=8).curriculum()
    assert [(phase.name, phase.epochs) for phase in phases] == [("align", 100), ("reconstruct", 50), ("detect", 50)]
    assert {(phase.learning_rate, phase.weight_decay, phase.batch_size) for phase in phases} == {(1e-5, 0.0, 512)}


@pytest.mark.parametrize(("options", "single"), [({}, False), (SMALL_CLEAN, False), (SMALL_PAPER, True)], ids=str)
def test_the_preset_paper_aligns_random_spots(options: dict[str, Any], *, single: bool) -> None:
    phases = {phase.name: phase.single_spots for phase in head(BOTH, **options).curriculum()}
    assert phases == {"align": single, "reconstruct": False, "detect": False}


@pytest.mark.parametrize(("preset", "spread"), [("default", 0.1), ("paper-clean", 0.1), ("paper", 0.01)])
def test_class_means_start_as_far_apart_as_the_preset_says(preset: str, spread: float) -> None:
    means = head(GENES, preset=preset, latent=2000, **DEEP).latents.class_means
    assert means.std().item() == pytest.approx(spread, rel=0.1)


def test_only_the_preset_paper_counts_every_neighbourhood_of_a_spot(make_batch: MakeBatch) -> None:
    batch = batch_for(make_batch, GENES, centres=[12, 13])
    changed = {}
    for options in (SMALL_CLEAN, SMALL_PAPER):
        model = head(GENES, **options)
        model.losses(batch, "detect")
        changed[options["preset"]] = model.state_dict()["encoders.genes.1.running_mean"]
    first = head(GENES, **SMALL_CLEAN).encoders["genes"].get_submodule("0")
    codes = first(batch.genes)
    assert torch.allclose(changed["paper-clean"], 0.1 * codes.mean(dim=0), atol=1e-6)
    copies = codes[batch.neighbours[batch.present]]
    assert torch.allclose(changed["paper"], 0.1 * copies.mean(dim=0), atol=1e-6)


@ONE_MODALITY
def test_with_one_modality_there_is_no_alignment(dims: Dims) -> None:
    assert [phase.name for phase in head(dims, **DEEP).curriculum()] == ["reconstruct", "detect"]


def test_without_images_the_expert_is_all_there_is_unless_asked(make_batch: MakeBatch) -> None:
    model, batch = head(GENES).eval(), batch_for(make_batch, GENES)
    warm_start(model, batch)
    assert not model.curriculum()
    assert torch.equal(model.score(batch), model.features(batch)[:, -1])
    with pytest.raises(ConfigError, match="no phase 'detect'"):
        model.losses(batch, "detect")
    assert head(GENES, **DEEP).curriculum()
    assert head(GENES, expert=False).curriculum()


def test_a_head_with_images_scores_genes_alone_by_the_expert_unless_asked(make_batch: MakeBatch) -> None:
    batch = batch_for(make_batch, BOTH).select("genes")
    for options, alone in (({}, True), (DEEP, False)):
        model = head(BOTH, **options).eval()
        warm_start(model, batch_for(make_batch, BOTH))
        assert model.expert is not None
        assert batch.genes is not None
        expert = neighbourhood_mean(model.expert(batch.genes)[:, None], batch)[:, 0]
        assert torch.allclose(model.score(batch), expert, atol=1e-5) == alone


def test_a_phase_without_epochs_is_kept_so_that_its_length_can_be_set() -> None:
    phases = head(BOTH, align_epochs=0, reconstruct_epochs=0).curriculum()
    assert {phase.name: phase.epochs > 0 for phase in phases} == {"align": False, "reconstruct": False, "detect": True}


@ALL_DIMS
@pytest.mark.parametrize(
    "options", [{"modality_dropout": 0.0}, SMALL_PAPER, SMALL_CLEAN], ids=["default", "paper", "paper-clean"]
)
def test_gradients_reach_every_parameter_a_phase_trains(
    make_batch: MakeBatch, dims: Dims, options: dict[str, Any]
) -> None:
    model, batch = head(dims, **options), batch_for(make_batch, dims)
    warm_start(model, batch)
    for phase in model.curriculum():
        model.zero_grad(set_to_none=True)
        torch.stack(list(model.losses(batch, phase.name).values())).sum().backward()
        reached = {name for name, weight in model.named_parameters() if weight.grad is not None and weight.grad.any()}
        parts = {"align": ("encoders",), "reconstruct": ("encoders", "fusion", "latents")}
        trained = parts.get(phase.name, ("encoders", "fusion", "latents", "classifier"))
        trainable = {name for name, _ in model.named_parameters() if name.startswith(trained)}
        # A constant has no effect before batch norm or in the keys of a softmax, so such a bias has no gradient.
        assert trainable >= reached
        assert {name for name in trainable - reached if not name.endswith("bias")} == set()


def test_each_phase_names_the_terms_it_minimises(make_batch: MakeBatch) -> None:
    model, batch = head(BOTH), batch_for(make_batch, BOTH)
    warm_start(model, batch)
    regularisers = {"reconstruction", "prior", "separation"}
    assert set(model.losses(batch, "align")) == {"contrastive"}
    assert set(model.losses(batch, "reconstruct")) == regularisers
    assert set(model.losses(batch, "detect")) == {"detection", *regularisers}


def test_the_detection_phase_applies_the_reconstruction_weight(make_batch: MakeBatch) -> None:
    model, batch = head(GENES, reconstruction_weight=0.25, **DEEP).eval(), batch_for(make_batch, GENES)
    warm_start(model, batch)
    unweighted, weighted = model.losses(batch, "reconstruct"), model.losses(batch, "detect")
    assert all(torch.allclose(weighted[name], 0.25 * unweighted[name]) for name in unweighted)


def test_detection_is_the_weighted_cross_entropy_of_labelled_spots(make_batch: MakeBatch) -> None:
    model, batch = head(GENES, expert=False).eval(), batch_for(make_batch, GENES)
    warm_start(model, batch)
    weights = torch.where(batch.labels == 1, 1.8, torch.where(batch.labels == 0, 0.2, 0.0))
    batch = replace(batch, weights=weights)
    labelled = batch.labelled
    probability = torch.sigmoid(model.score(batch))[labelled]
    likelihood = torch.where(batch.labels[labelled] == 1, probability, 1 - probability)
    expected = -(likelihood.log() * weights[labelled]).mean()
    assert torch.allclose(model.losses(batch, "detect")["detection"], expected, atol=1e-5)


def test_an_unlabelled_spot_is_reconstructed_without_a_class_prior(make_batch: MakeBatch) -> None:
    model, batch = head(GENES, **DEEP).eval(), batch_for(make_batch, GENES)
    warm_start(model, batch)
    centres = [spot for spot in range(len(batch.labels)) if batch.labels[spot] >= 0]
    all_spots, labelled = (
        model.losses(batch, "detect"),
        model.losses(batch_for(make_batch, GENES, centres=centres), "detect"),
    )
    assert torch.allclose(all_spots["prior"], labelled["prior"])
    assert torch.allclose(all_spots["detection"], labelled["detection"])
    assert not torch.allclose(all_spots["reconstruction"], labelled["reconstruction"])


def test_a_batch_with_one_modality_has_no_contrastive_loss(make_batch: MakeBatch) -> None:
    model, batch = head(BOTH), batch_for(make_batch, BOTH)
    warm_start(model, batch)
    assert model.losses(replace(batch, image=None), "align") == {}


@ALL_DIMS
def test_a_batch_of_one_centre_can_be_trained_on(make_batch: MakeBatch, dims: Dims) -> None:
    model, batch = head(dims, **SMALL_PAPER), batch_for(make_batch, dims, centres=[12])
    for phase in model.curriculum():
        assert all(loss.isfinite() for loss in model.losses(batch, phase.name).values())


@pytest.mark.parametrize("options", [{"modality_dropout": 0.0}, SMALL_PAPER], ids=["default", "paper"])
def test_every_spot_is_encoded_once(make_batch: MakeBatch, options: dict[str, Any]) -> None:
    model, batch = head(BOTH, **options), batch_for(make_batch, BOTH)
    rows: list[int] = []
    for encoder in model.encoders.values():
        encoder.register_forward_pre_hook(lambda _, inputs: rows.append(len(inputs[0])))
    model.losses(batch, "detect")
    assert rows == [len(batch.labels)] * 2


@ALL_DIMS
def test_the_same_random_state_trains_the_same_head(make_batch: MakeBatch, dims: Dims) -> None:
    batch = batch_for(make_batch, dims)
    states = []
    for _ in range(2):
        model = head(dims)
        train(model, batch, rate=1e-2, epochs=3)
        states.append(model.state_dict())
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])


@ALL_DIMS
def test_scoring_is_deterministic_and_leaves_the_random_state_alone(make_batch: MakeBatch, dims: Dims) -> None:
    model, batch = head(dims).eval(), batch_for(make_batch, dims)
    warm_start(model, batch)
    before = torch.get_rng_state()
    assert torch.equal(model.score(batch), model.score(batch))
    assert torch.equal(torch.get_rng_state(), before)


@ALL_DIMS
def test_it_recovers_the_signal_in_unseen_tissue(make_batch: MakeBatch, dims: Dims) -> None:
    model = head(dims)
    train(model, batch_for(make_batch, dims), rate=1e-2, epochs=25)
    unseen = batch_for(make_batch, dims, seed=1)
    with torch.inference_mode():
        called = model.score(unseen) > 0
    assert (called == (unseen.labels == 1))[unseen.labelled].float().mean() > 0.95


@pytest.mark.parametrize("missing", ["genes", "image"])
def test_trained_on_both_it_recovers_the_signal_from_either_modality(make_batch: MakeBatch, missing: str) -> None:
    model = head(BOTH)
    train(model, batch_for(make_batch, BOTH), rate=1e-2, epochs=25)
    change: dict[str, Any] = {missing: None}
    unseen = replace(batch_for(make_batch, BOTH, seed=1), **change)
    with torch.inference_mode():
        called = model.score(unseen) > 0
    assert (called == (unseen.labels == 1))[unseen.labelled].float().mean() > 0.9


def test_unit_tokens_are_scaled_over_the_features_of_a_spot(make_batch: MakeBatch) -> None:
    model, batch = head(GENES, **SMALL_CLEAN).eval(), batch_for(make_batch, GENES)
    inputs_of_fusion: list[torch.Tensor] = []
    model.fusion.register_forward_pre_hook(lambda _, inputs: inputs_of_fusion.append(inputs[0]["genes"]))
    model.score(batch)
    assert torch.allclose(inputs_of_fusion[0].norm(dim=1), torch.ones(len(batch.labels)), atol=1e-5)


def test_alignment_brings_the_two_codes_of_a_spot_together(make_batch: MakeBatch) -> None:
    batch, model = make_batch(genes=12), head(BOTH, reconstruct_epochs=0, detect_epochs=0)
    assert batch.genes is not None
    batch = replace(batch, image=-batch.genes[:, :6])
    warm_start(model, batch)
    before = model.losses(batch, "align")["contrastive"]
    train(model, batch, rate=1e-2, epochs=30)
    assert model.losses(batch, "align")["contrastive"] < 0.8 * before


@pytest.mark.parametrize(
    ("dims", "options", "present"),
    [
        (GENES, {}, True),
        (GENES, {"expert": False}, False),
        (GENES, {"preset": "paper", "hidden": (8,), "width": 8}, False),
        (BOTH, {}, True),
        (IMAGE, {}, False),
    ],
    ids=["genes", "without expert", "paper", "both", "image"],
)
def test_a_head_that_reads_genes_has_a_linear_expert(dims: Dims, options: dict[str, Any], *, present: bool) -> None:
    model = head(dims, **options)
    assert (model.expert is not None) is present
    assert any(name.startswith("expert.") for name in model.state_dict()) is present


def test_the_experts_logit_is_added_to_that_of_the_deep_head(make_batch: MakeBatch) -> None:
    model, batch = head(GENES, **DEEP).eval(), batch_for(make_batch, GENES)
    warm_start(model, batch)
    assert model.expert is not None
    total, features = model.score(batch), model.features(batch)
    model.expert.direction.zero_()
    model.expert.intercept.zero_()
    assert features.shape[1] == 2 * model.options.latent + 2
    assert torch.allclose(total - model.score(batch), features[:, -2], atol=1e-5)
    assert features[:, -2].any()


def test_the_expert_contributes_only_without_an_image(make_batch: MakeBatch) -> None:
    model, batch = head(BOTH).eval(), batch_for(make_batch, BOTH)
    warm_start(model, batch)
    contributes = {
        modalities: bool(model.features(batch.select(modalities))[:, -2].any())
        for modalities in ("image+genes", "genes", "image")
    }
    assert contributes == {"image+genes": False, "genes": True, "image": False}


def test_the_experts_logit_is_averaged_over_the_neighbourhood(make_batch: MakeBatch) -> None:
    model, batch = head(GENES).eval(), batch_for(make_batch, GENES)
    warm_start(model, batch)
    assert model.expert is not None
    assert batch.genes is not None
    logits = model.expert(batch.genes)
    expected = [
        logits[indices[present]].mean() for indices, present in zip(batch.neighbours, batch.present, strict=True)
    ]
    assert torch.allclose(model.features(batch)[:, -1], torch.stack(expected), atol=1e-5)


def test_the_expert_alone_recovers_the_signal_before_training(make_batch: MakeBatch) -> None:
    model, unseen = head(GENES).eval(), batch_for(make_batch, GENES, seed=1)
    warm_start(model, batch_for(make_batch, GENES))
    called = model.features(unseen)[:, -1] > 0
    assert (called == (unseen.labels == 1))[unseen.labelled].float().mean() > 0.95


def test_unlabelled_spots_do_not_affect_the_expert(make_batch: MakeBatch) -> None:
    batch = batch_for(make_batch, GENES)
    centres = [spot for spot in range(len(batch.labels)) if batch.labels[spot] >= 0]
    all_spots, labelled = head(GENES), head(GENES)
    warm_start(all_spots, batch)
    warm_start(labelled, batch_for(make_batch, GENES, centres=centres))
    assert all_spots.expert is not None
    assert labelled.expert is not None
    assert torch.allclose(all_spots.expert.direction, labelled.expert.direction, atol=1e-5)
    assert all_spots.expert.direction.any()


def test_spots_of_one_class_leave_the_expert_at_0(make_batch: MakeBatch) -> None:
    model, batch = head(GENES).eval(), batch_for(make_batch, GENES)
    warm_start(model, replace(batch, labels=torch.zeros_like(batch.labels)))
    assert not model.features(batch)[:, -1].any()


def test_the_expert_is_not_trained_with_the_deep_head(make_batch: MakeBatch) -> None:
    model, batch = head(GENES), batch_for(make_batch, GENES)
    train(model, batch, rate=1e-2, epochs=2)
    untrained = head(GENES)
    warm_start(untrained, batch)
    assert model.expert is not None
    assert untrained.expert is not None
    assert torch.equal(model.expert.direction, untrained.expert.direction)


@ALL_DIMS
def test_without_attention_neighbours_have_no_effect(make_batch: MakeBatch, dims: Dims) -> None:
    batch = batch_for(make_batch, dims)
    others = torch.cat([batch.neighbours[:, :1], batch.neighbours[:, 1:].roll(7, dims=0)], dim=1)
    changed = replace(batch, neighbours=others, present=torch.ones_like(batch.present))
    for attention in (True, False):
        model = head(dims, attention=attention, expert=False)
        train(model, batch, rate=1e-2, epochs=1)
        assert torch.equal(model.features(changed), model.features(batch)) is not attention


@ALL_DIMS
def test_without_attention_it_recovers_the_signal(make_batch: MakeBatch, dims: Dims) -> None:
    model = head(dims, attention=False, expert=False)
    train(model, batch_for(make_batch, dims), rate=1e-2, epochs=25)
    unseen = batch_for(make_batch, dims, seed=1)
    called = model.score(unseen) > 0
    assert (called == (unseen.labels == 1))[unseen.labelled].float().mean() > 0.9


def test_without_reconstruction_there_is_no_such_phase() -> None:
    assert [phase.name for phase in head(BOTH, reconstruction=False).curriculum()] == ["align", "detect"]
    longer = head(BOTH, reconstruction=False, reconstruct_epochs=9)
    assert [phase.name for phase in longer.curriculum()] == ["align", "detect"]


@ALL_DIMS
def test_without_reconstruction_detection_is_the_only_loss(make_batch: MakeBatch, dims: Dims) -> None:
    model, batch = head(dims, reconstruction=False, **DEEP), batch_for(make_batch, dims)
    warm_start(model, batch)
    terms = model.losses(batch, "detect")
    assert set(terms) == {"detection"}
    terms["detection"].backward()
    reconstructing = [*model.latents.decoder.parameters(), model.latents.class_means]
    assert all(weight.grad is None for weight in reconstructing)


def test_without_alignment_the_modalities_are_never_contrasted(make_batch: MakeBatch) -> None:
    model, batch = head(BOTH, align_epochs=0), batch_for(make_batch, BOTH)
    warm_start(model, batch)
    phases = [phase.name for phase in model.curriculum() if phase.epochs]
    assert phases == ["reconstruct", "detect"]
    assert all("contrastive" not in model.losses(batch, phase) for phase in phases)


@pytest.mark.parametrize("smoothing", [True, False])
def test_smoothing_follows_the_options(*, smoothing: bool) -> None:
    assert head(GENES, smoothing=smoothing).smooths is smoothing


@pytest.mark.parametrize(
    ("dims", "options", "separately"),
    [
        (BOTH, {}, True),
        (BOTH, {"modality_dropout": 0.0}, False),
        (BOTH, SMALL_PAPER, False),
        (GENES, {}, False),
        (IMAGE, {}, False),
    ],
    ids=["both", "no dropout", "paper", "genes", "image"],
)
def test_modalities_are_scored_separately_after_training_with_modality_dropout(
    dims: Dims, options: dict[str, Any], *, separately: bool
) -> None:
    assert head(dims, **options).scores_modalities_separately is separately


def test_each_preset_has_cohort_defaults() -> None:
    default, paper, clean = (
        SpaCRDHead.cohort_defaults(SpaCRDHead.Options.model_validate({"preset": name}))
        for name in ("default", "paper", "paper-clean")
    )
    assert default == {"panel_genes": 4000, "gene_centring": True, "gene_factors": 30}
    assert paper == clean | {"library": "panel"}
    assert clean == {
        "panel_genes": 3000,
        "neighbours": 7,
        "radius_pitches": 3.0,
        "gene_scale": "range",
        "image_scale": "range",
    }
