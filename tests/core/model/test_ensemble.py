"""An ensemble scores every section by its modalities and the defaults of its head, and its state is complete."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from core.conftest import MakeData

from spacrd_core.cohort.cohort import Cohort
from spacrd_core.cohort.modalities import MODALITIES
from spacrd_core.cohort.neighbourhood_means import NeighbourhoodMeans
from spacrd_core.cohort.options import CohortOptions
from spacrd_core.cohort.section_data import SectionData, with_modalities
from spacrd_core.cohort.smoothing import BilateralFilter
from spacrd_core.cohort.training_spots import TrainingSpots
from spacrd_core.detector.detector import Detector
from spacrd_core.errors import DetectorError
from spacrd_core.model.calibrated_ensemble import TrainOptions, train_calibrated
from spacrd_core.model.ensemble import Ensemble, Scores, run_head
from spacrd_core.model.options import HeadOptions
from spacrd_core.model.scoring_blocks import ScoringBlocks
from spacrd_core.model.state_dict import ensemble_from_state, ensemble_state, fitted_preprocessor
from spacrd_core.plugins import Plugins
from spacrd_fusion.components import ModalityComponents

CPU = torch.device("cpu")
SHORT = {"align": 1, "reconstruct": 1, "detect": 2}
SMALL = {"preset": "paper", "hidden": (8,), "width": 8, "heads": 2, "latent_hidden": (8,), "latent": 4}
LINEAR = HeadOptions(name="linear")
DEFAULT = HeadOptions(name="spacrd", epochs=SHORT)
ROUGH = DEFAULT.model_copy(update={"options": {"smoothing": False}})
PAPER = HeadOptions(name="spacrd", options=SMALL, epochs=SHORT)
FEW = CohortOptions(panel_genes=20)
EITHER = pytest.mark.parametrize("choice", [LINEAR, DEFAULT], ids=["linear", "spacrd"])


@pytest.fixture
def sections(make_data: MakeData) -> list[SectionData]:
    return [make_data("A", 1), make_data("B", 2)]


@pytest.fixture
def target(make_data: MakeData) -> SectionData:
    return make_data("D", 4)


def trained(
    sections: Sequence[SectionData],
    plugins: Plugins,
    choice: HeadOptions = LINEAR,
    options: CohortOptions = FEW,
    seeds: Sequence[int] = (42,),
) -> Ensemble:
    return Ensemble.train(sections, head_options=choice, options=options, seeds=seeds, heads=plugins.heads, device=CPU)


def scores_of(ensemble: Ensemble, section: SectionData, modalities: str = "", wanted: Sequence[str] = ()) -> Scores:
    return ensemble.score(ensemble.prepare(section), modalities, wanted)


def modalities_of(ensemble: Ensemble, section: SectionData) -> str:
    return ensemble.modalities_of(ensemble.prepare(section))


def without_image(section: SectionData) -> SectionData:
    return replace(section, image=None, image_coverage=None, recipe=None)


def without_genes(section: SectionData) -> SectionData:
    return replace(section, expression=None)


@EITHER
def test_a_detector_of_both_modalities_scores_a_section_by_both_and_by_either(
    sections: list[SectionData], target: SectionData, plugins: Plugins, choice: HeadOptions
) -> None:
    scores = scores_of(trained(sections, plugins, choice, seeds=(1, 2)), target)
    assert list(scores.logits) == ["image+genes", "genes", "image"]
    assert {logits.shape for logits in scores.logits.values()} == {(2, 81)}
    assert scores.ood.shape == (81,)
    both, genes, image = scores.logits.values()
    assert not np.allclose(genes, image)
    assert not np.allclose(both, genes)
    assert not np.allclose(both, image)


@EITHER
def test_a_section_is_read_by_what_it_measures(
    sections: list[SectionData], target: SectionData, plugins: Plugins, choice: HeadOptions
) -> None:
    ensemble = trained(sections, plugins, choice)
    seen = {"image+genes": target, "genes": without_image(target), "image": without_genes(target)}
    for modalities, section in seen.items():
        assert modalities_of(ensemble, section) == modalities
        assert next(iter(scores_of(ensemble, section).logits)) == modalities
    assert list(scores_of(ensemble, seen["genes"]).logits) == ["genes"]
    assert list(scores_of(ensemble, seen["image"]).logits) == ["image"]


@EITHER
def test_only_the_wanted_modalities_are_scored(
    sections: list[SectionData], target: SectionData, plugins: Plugins, choice: HeadOptions
) -> None:
    ensemble = trained(sections, plugins, choice)
    everything, some = (
        scores_of(ensemble, target),
        scores_of(ensemble, target, wanted=["image"]),
    )
    assert list(some.logits) == ["image"]
    assert np.array_equal(some.logits["image"], everything.logits["image"])
    assert np.array_equal(some.ood, everything.ood)


def test_a_section_with_nothing_to_read_is_named(
    sections: list[SectionData], target: SectionData, plugins: Plugins
) -> None:
    empty = without_genes(without_image(target))
    with pytest.raises(DetectorError) as caught:
        modalities_of(trained(sections, plugins), empty)
    assert "section 'D4' has nothing that the detector reads (image+genes or genes or image)" in str(caught.value)


def test_a_detector_of_genes_reads_no_image(sections: list[SectionData], target: SectionData, plugins: Plugins) -> None:
    ensemble = trained([without_image(section) for section in sections], plugins)
    assert ensemble.modalities == ("genes",)
    assert list(scores_of(ensemble, target).logits) == ["genes"]
    with pytest.raises(DetectorError) as caught:
        scores_of(ensemble, without_genes(target))
    assert "(genes)" in str(caught.value)


def test_genes_are_not_read_where_too_few_of_the_panel_were_measured(
    sections: list[SectionData], plugins: Plugins
) -> None:
    few = with_genes(sections[-1], 2)
    both, genes = (trained(some, plugins, LINEAR, CohortOptions()) for some in (sections, without_images(sections)))
    assert modalities_of(both, few) == "image"
    with pytest.raises(DetectorError) as caught:
        modalities_of(genes, replace(few, image=None))
    assert "measures 2 of the detector's 30 genes, and 3 are needed" in caught.value.hint
    assert modalities_of(genes, with_genes(sections[-1], 3)) == "genes"


def with_genes(section: SectionData, count: int) -> SectionData:
    assert section.expression is not None
    expression = section.expression
    few = replace(expression, values=expression.values[:, :count], symbols=expression.symbols[:count], gene_ids=())
    return replace(section, expression=few)


def without_images(sections: list[SectionData]) -> list[SectionData]:
    return [with_modalities(section, genes=True, image=False) for section in sections]


def test_a_detector_of_sections_with_either_reads_the_genes_of_one_with_both(
    sections: list[SectionData], target: SectionData, plugins: Plugins
) -> None:
    ensemble = trained([without_image(sections[0]), without_genes(sections[1])], plugins)
    assert ensemble.modalities == ("genes", "image")
    assert modalities_of(ensemble, target) == "genes"


@pytest.mark.parametrize(
    ("choice", "either"),
    [
        (DEFAULT, True),
        (DEFAULT.model_copy(update={"options": {"modality_dropout": 0.0}}), False),
        (PAPER, False),
        (LINEAR, False),
    ],
    ids=["default", "no dropout", "paper", "linear"],
)
def test_modalities_are_weighted_if_the_head_was_trained_to_score_them_separately(
    sections: list[SectionData], plugins: Plugins, choice: HeadOptions, *, either: bool
) -> None:
    assert trained(sections, plugins, choice).scores_modalities_separately is either


def test_a_head_of_one_modality_has_nothing_to_weight(sections: list[SectionData], plugins: Plugins) -> None:
    choice = HeadOptions(name="spacrd", epochs={"reconstruct": 1, "detect": 1})
    assert (
        trained([without_image(section) for section in sections], plugins, choice).scores_modalities_separately is False
    )


@EITHER
def test_its_state_fills_new_heads_that_score_the_same(
    sections: list[SectionData], target: SectionData, plugins: Plugins, choice: HeadOptions
) -> None:
    ensemble = trained(sections, plugins, choice, seeds=(1, 2))
    state = ensemble_state(ensemble)
    untrained = [plugins.heads.create(choice.name, dims=ensemble.preprocessor.dims) for _ in range(2)]
    again = ensemble_from_state(state, fitted_preprocessor(ensemble.preprocessor, state), untrained, CPU)
    assert again.modalities == ensemble.modalities
    for modalities in MODALITIES:
        one, two = scores_of(ensemble, target, modalities), scores_of(again, target, modalities)
        assert all(np.array_equal(one.logits[part], two.logits[part]) for part in one.logits)
        assert np.array_equal(one.ood, two.ood)


def test_its_state_keeps_the_training_distribution_of_every_member_and_modality(
    sections: list[SectionData], plugins: Plugins
) -> None:
    both = ensemble_state(trained(sections, plugins, seeds=(1, 2)))
    kept = {name.partition(".distribution.")[0::2] for name in both if ".distribution." in name}
    facts = ("mean", "precision", "radius_95")
    assert kept == {(member, f"{modalities}.{fact}") for member in "01" for modalities in MODALITIES for fact in facts}
    genes = ensemble_state(trained([without_image(section) for section in sections], plugins))
    assert {name for name in genes if ".distribution." in name} == {f"0.distribution.genes.{fact}" for fact in facts}
    assert not any(name.startswith("image_scaler.") for name in genes)


def test_a_tensor_of_no_member_is_refused(sections: list[SectionData], plugins: Plugins) -> None:
    ensemble = trained(sections, plugins)
    state = ensemble_state(ensemble) | {"1.head.intercept": torch.zeros(())}
    with pytest.raises(ValueError, match=r"do not belong to the ensemble, for example 1\.head\.intercept"):
        ensemble_from_state(state, ensemble.preprocessor, ensemble.heads, CPU)


@pytest.mark.parametrize(
    ("choice", "defaults"),
    [
        (DEFAULT, {"panel_genes": 4000, "gene_centring": True, "gene_factors": 30}),
        (
            PAPER,
            {
                "panel_genes": 3000,
                "neighbours": 7,
                "radius_pitches": 3.0,
                "gene_scale": "range",
                "image_scale": "range",
                "library": "panel",
            },
        ),
        (LINEAR, {}),
    ],
    ids=["default", "paper", "linear"],
)
def test_a_section_is_read_by_the_defaults_of_the_head(
    sections: list[SectionData], plugins: Plugins, choice: HeadOptions, defaults: dict[str, Any]
) -> None:
    read = trained(sections, plugins, choice, CohortOptions()).preprocessor.options
    assert read.model_dump() == CohortOptions().model_dump() | defaults


def test_the_users_choice_overrides_the_defaults_of_the_head(sections: list[SectionData], plugins: Plugins) -> None:
    read = trained(sections, plugins, DEFAULT, CohortOptions(gene_centring=False, neighbours=5)).preprocessor.options
    assert (read.gene_centring, read.neighbours, read.panel_genes) == (False, 5, 4000)


def test_a_choice_that_equals_the_default_also_overrides(sections: list[SectionData], plugins: Plugins) -> None:
    usual = CohortOptions(panel_genes=CohortOptions().panel_genes)
    read = trained(sections, plugins, DEFAULT, usual).preprocessor.options
    assert (read.panel_genes, read.gene_centring) == (2000, True)


@pytest.mark.parametrize("choice", [DEFAULT, PAPER], ids=["default", "paper"])
def test_a_saved_detector_reads_sections_as_in_training(
    sections: list[SectionData], target: SectionData, plugins: Plugins, tmp_path: Path, choice: HeadOptions
) -> None:
    options = TrainOptions(head=choice, cohort=FEW, seeds=1, calibrate=False)
    fitted = train_calibrated(sections, options, heads=plugins.heads, device=CPU)
    detector = Detector.from_training(fitted, options, sections, "made")
    detector.save(tmp_path / "detector")
    loaded = Detector.load(tmp_path / "detector", heads=plugins.heads, device=CPU)
    resolved = fitted.ensemble.preprocessor.options
    assert resolved.model_dump() != FEW.model_dump()
    assert loaded.config.cohort == resolved.model_dump(mode="json")
    assert loaded.ensemble.preprocessor.options == resolved
    for modalities, logits in scores_of(detector.ensemble, target).logits.items():
        assert np.array_equal(scores_of(loaded.ensemble, target).logits[modalities], logits)


def test_logits_are_averaged_over_similar_tissue_if_the_head_smooths(
    sections: list[SectionData], target: SectionData, plugins: Plugins
) -> None:
    rough, smooth = trained(sections, plugins, ROUGH), trained(sections, plugins, DEFAULT)
    before, after = scores_of(rough, target), scores_of(smooth, target)
    assert (rough.heads[0].smooths, smooth.heads[0].smooths) == (False, True)
    for modalities in MODALITIES:
        assert after.logits[modalities].std() < 0.9 * before.logits[modalities].std()
    assert np.array_equal(after.ood, before.ood)


def test_smoothing_is_that_of_the_sections_own_features(
    sections: list[SectionData], target: SectionData, plugins: Plugins
) -> None:
    blind = without_image(target)
    rough, smooth = trained(sections, plugins, ROUGH), trained(sections, plugins, DEFAULT)
    means = rough.prepare(blind).means["genes"].faster(len(blind.labels)).operator()
    average = BilateralFilter.fit(blind.xy_um, blind.pitch_um, [means])
    assert np.allclose(scores_of(smooth, blind).logits["genes"][0], average(scores_of(rough, blind).logits["genes"][0]))


@EITHER
def test_components_are_fitted_once_for_all_members(
    sections: list[SectionData], plugins: Plugins, choice: HeadOptions
) -> None:
    fitted: list[str] = []

    def counted(self: ModalityComponents, training: Mapping[str, TrainingSpots]) -> None:
        fitted.extend(training)
        fit_components(self, training)

    fit_components = ModalityComponents.fit
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ModalityComponents, "fit", counted)
        ensemble = trained(sections, plugins, choice, seeds=(1, 2, 3))
    assert fitted == ["genes", "image"]
    first, *others = (head.matrices() for head in ensemble.heads)
    for matrices in others:
        assert all(torch.equal(matrices[name], first[name]) for name in ("genes", "image"))


@EITHER
def test_scores_are_those_of_dense_features(
    sections: list[SectionData], target: SectionData, plugins: Plugins, choice: HeadOptions
) -> None:
    ensemble = trained(sections, plugins, choice)
    section = ensemble.prepare(target)
    dense = Cohort.from_sections([section], CPU)
    around = (section.aligned.neighbours, section.aligned.present)
    means = [NeighbourhoodMeans.of(values[:].numpy(), *around) for values in (dense.genes, dense.image)]  # type: ignore[index]
    similar = BilateralFilter.fit(target.xy_um, target.pitch_um, [values.operator() for values in means])
    smooth = similar if ensemble.heads[0].smooths else np.asarray
    for modalities, logits in ensemble.score(section).logits.items():
        assert logits[0] == pytest.approx(
            smooth(run_head(ensemble.heads[0], ScoringBlocks(dense), modalities)[0]), abs=1e-4
        )


@EITHER
def test_the_labels_of_a_section_change_none_of_its_scores(
    sections: list[SectionData], target: SectionData, plugins: Plugins, choice: HeadOptions
) -> None:
    ensemble, other = trained(sections, plugins, choice), replace(target, labels=1 - target.labels)
    for modalities, logits in scores_of(ensemble, target).logits.items():
        assert np.array_equal(scores_of(ensemble, other).logits[modalities], logits)


@EITHER
@pytest.mark.parametrize(("modalities", "only"), [("genes", without_image), ("image", without_genes)])
def test_scores_of_one_modality_do_not_depend_on_the_other(
    sections: list[SectionData],
    target: SectionData,
    plugins: Plugins,
    choice: HeadOptions,
    modalities: str,
    only: Any,
) -> None:
    ensemble = trained(sections, plugins, choice)
    alone, beside = scores_of(ensemble, only(target)), scores_of(ensemble, target, modalities)
    assert np.allclose(alone.logits[modalities], beside.logits[modalities], atol=1e-5)
    assert np.allclose(alone.ood, beside.ood, atol=1e-5)


def test_a_section_whose_genes_are_wrongly_named_is_beyond_the_training_tissue(
    sections: list[SectionData], plugins: Plugins
) -> None:
    genes = without_images(sections)
    ensemble = trained(genes[:-1], plugins, DEFAULT, CohortOptions())
    right, expression = genes[-1], genes[-1].expression
    assert expression is not None
    wrong = replace(right, expression=replace(expression, symbols=expression.symbols[::-1], gene_ids=()))
    assert (scores_of(ensemble, wrong).ood > 1).all()
    assert (scores_of(ensemble, right).ood > 1).mean() < 0.5
