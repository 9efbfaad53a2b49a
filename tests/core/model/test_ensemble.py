"""An ensemble reads every section by what it has, as its head asks, and is kept whole."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

from spacrd_core.cohort.cohort import Cohort
from spacrd_core.cohort.modalities import VIEWS
from spacrd_core.cohort.options import CohortOptions
from spacrd_core.cohort.section_data import with_modalities
from spacrd_core.cohort.smoothing import Smoother
from spacrd_core.detector.detector import Detector
from spacrd_core.errors import DetectorError
from spacrd_core.genes.expression import Expression
from spacrd_core.model.calibrated_ensemble import TrainOptions, train
from spacrd_core.model.ensemble import Ensemble, fitted_parts
from spacrd_core.model.options import HeadChoice

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from conftest import MakeData

    from spacrd_core.cohort.section_data import SectionData
    from spacrd_core.plugins import Plugins

CPU = torch.device("cpu")
SHORT = {"align": 1, "reconstruct": 1, "detect": 2}
SMALL = {"preset": "paper", "hidden": (8,), "width": 8, "heads": 2, "latent_hidden": (8,), "latent": 4}
LINEAR = HeadChoice(name="linear")
DEFAULT = HeadChoice(name="spacrd", epochs=SHORT)
ROUGH = DEFAULT.model_copy(update={"options": {"smoothing": False}})
PAPER = HeadChoice(name="spacrd", options=SMALL, epochs=SHORT)
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
    choice: HeadChoice = LINEAR,
    options: CohortOptions = FEW,
    seeds: Sequence[int] = (42,),
) -> Ensemble:
    return Ensemble.train(sections, choice=choice, options=options, seeds=seeds, heads=plugins.heads, device=CPU)


def without_image(section: SectionData) -> SectionData:
    return replace(section, image=None, image_coverage=None, recipe=None)


def without_genes(section: SectionData) -> SectionData:
    return replace(section, expression=None)


@EITHER
def test_a_detector_of_both_reads_a_section_by_both_and_by_either(
    sections: list[SectionData], target: SectionData, plugins: Plugins, choice: HeadChoice
) -> None:
    scores = trained(sections, plugins, choice, seeds=(1, 2)).score(target)
    assert list(scores.logits) == ["image+genes", "genes", "image"]
    assert {logits.shape for logits in scores.logits.values()} == {(2, 81)}
    assert scores.novelty.shape == (81,)
    both, genes, image = scores.logits.values()
    assert not np.allclose(genes, image)
    assert not np.allclose(both, genes)
    assert not np.allclose(both, image)


@EITHER
def test_a_section_is_read_by_what_it_measures(
    sections: list[SectionData], target: SectionData, plugins: Plugins, choice: HeadChoice
) -> None:
    ensemble = trained(sections, plugins, choice)
    seen = {"image+genes": target, "genes": without_image(target), "image": without_genes(target)}
    for view, section in seen.items():
        assert ensemble.view(section) == view
        assert next(iter(ensemble.score(section).logits)) == view
    assert list(ensemble.score(seen["genes"]).logits) == ["genes"]
    assert list(ensemble.score(seen["image"]).logits) == ["image"]


@EITHER
def test_only_the_views_asked_for_are_scored(
    sections: list[SectionData], target: SectionData, plugins: Plugins, choice: HeadChoice
) -> None:
    ensemble = trained(sections, plugins, choice)
    everything, some = ensemble.score(target), ensemble.score(target, parts=["image"])
    assert list(some.logits) == ["image"]
    assert np.array_equal(some.logits["image"], everything.logits["image"])
    assert np.array_equal(some.novelty, everything.novelty)


def test_a_section_with_nothing_to_read_is_named(
    sections: list[SectionData], target: SectionData, plugins: Plugins
) -> None:
    empty = without_genes(without_image(target))
    with pytest.raises(DetectorError) as caught:
        trained(sections, plugins).view(empty)
    assert str(caught.value) == "section 'D4' has nothing that the detector reads: image+genes or genes or image"


def test_a_detector_of_genes_reads_no_image(sections: list[SectionData], target: SectionData, plugins: Plugins) -> None:
    ensemble = trained([without_image(section) for section in sections], plugins)
    assert ensemble.views == ("genes",)
    assert list(ensemble.score(target).logits) == ["genes"]
    with pytest.raises(DetectorError) as caught:
        ensemble.score(without_genes(target))
    assert str(caught.value) == "section 'D4' has nothing that the detector reads: genes"


def test_genes_are_not_read_where_too_few_of_the_panel_were_measured(
    sections: list[SectionData], plugins: Plugins
) -> None:
    few = with_genes(sections[-1], 2)
    both, genes = (trained(some, plugins, LINEAR, CohortOptions()) for some in (sections, without_images(sections)))
    assert both.view(few) == "image"
    with pytest.raises(DetectorError) as caught:
        genes.view(replace(few, image=None))
    assert caught.value.hint == (
        "it measures 2 of the detector's 30 genes, 3 are needed; are they named by symbol or Ensembl id?"
    )
    assert genes.view(with_genes(sections[-1], 3)) == "genes"


def with_genes(section: SectionData, count: int) -> SectionData:
    assert section.expression is not None
    values, symbols = section.expression.values[:, :count], section.expression.symbols[:count]
    return replace(section, expression=Expression(values, symbols))


def without_images(sections: list[SectionData]) -> list[SectionData]:
    return [with_modalities(section, genes=True, image=False) for section in sections]


def test_a_detector_of_sections_with_either_reads_the_genes_of_one_with_both(
    sections: list[SectionData], target: SectionData, plugins: Plugins
) -> None:
    ensemble = trained([without_image(sections[0]), without_genes(sections[1])], plugins)
    assert ensemble.views == ("genes", "image")
    assert ensemble.view(target) == "genes"


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
def test_either_modality_may_be_weighed_where_the_head_learned_to_read_it_alone(
    sections: list[SectionData], plugins: Plugins, choice: HeadChoice, *, either: bool
) -> None:
    assert trained(sections, plugins, choice).reads_either is either


def test_a_head_of_one_modality_has_nothing_to_weigh(sections: list[SectionData], plugins: Plugins) -> None:
    choice = HeadChoice(name="spacrd", epochs={"reconstruct": 1, "detect": 1})
    assert trained([without_image(section) for section in sections], plugins, choice).reads_either is False


@EITHER
def test_its_state_fills_new_heads_that_say_the_same(
    sections: list[SectionData], target: SectionData, plugins: Plugins, choice: HeadChoice
) -> None:
    ensemble = trained(sections, plugins, choice, seeds=(1, 2))
    state, built = ensemble.state(), [plugins.heads.create(choice.name, dims=ensemble.lens.dims) for _ in range(2)]
    again = Ensemble.of_state(state, replace(ensemble.lens, **fitted_parts(state)), built, CPU)
    assert again.views == ensemble.views
    for view in VIEWS:
        one, two = ensemble.score(target, view), again.score(target, view)
        assert all(np.array_equal(one.logits[part], two.logits[part]) for part in one.logits)
        assert np.array_equal(one.novelty, two.novelty)


def test_its_state_keeps_what_each_member_knows_by_every_view(sections: list[SectionData], plugins: Plugins) -> None:
    both = trained(sections, plugins, seeds=(1, 2)).state()
    kept = {name.partition(".known.")[0::2] for name in both if ".known." in name}
    facts = ("mean", "precision", "reach")
    assert kept == {(member, f"{view}.{fact}") for member in "01" for view in VIEWS for fact in facts}
    genes = trained([without_image(section) for section in sections], plugins).state()
    assert {name for name in genes if ".known." in name} == {f"0.known.genes.{fact}" for fact in facts}
    assert fitted_parts(genes)["image_scale"] is None


def test_a_tensor_of_no_member_is_refused(sections: list[SectionData], plugins: Plugins) -> None:
    ensemble = trained(sections, plugins)
    state = ensemble.state() | {"1.head.intercept": torch.zeros(())}
    with pytest.raises(ValueError, match=r"^1 tensors belong to no member, such as 1\.head\.intercept$"):
        Ensemble.of_state(state, ensemble.lens, ensemble.heads, CPU)


@pytest.mark.parametrize(
    ("choice", "asked"),
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
            },
        ),
        (LINEAR, {}),
    ],
    ids=["default", "paper", "linear"],
)
def test_a_section_is_read_as_the_head_asks(
    sections: list[SectionData], plugins: Plugins, choice: HeadChoice, asked: dict[str, Any]
) -> None:
    read = trained(sections, plugins, choice, CohortOptions()).lens.options
    assert read.model_dump() == CohortOptions().model_dump() | asked


def test_the_users_own_choice_wins_over_what_the_head_asks(sections: list[SectionData], plugins: Plugins) -> None:
    read = trained(sections, plugins, DEFAULT, CohortOptions(gene_centring=False, neighbours=5)).lens.options
    assert (read.gene_centring, read.neighbours, read.panel_genes) == (False, 5, 4000)


def test_a_choice_that_happens_to_be_the_usual_one_wins_too(sections: list[SectionData], plugins: Plugins) -> None:
    usual = CohortOptions(panel_genes=CohortOptions().panel_genes)
    read = trained(sections, plugins, DEFAULT, usual).lens.options
    assert (read.panel_genes, read.gene_centring) == (2000, True)


@pytest.mark.parametrize("choice", [DEFAULT, PAPER], ids=["default", "paper"])
def test_a_saved_detector_reads_sections_as_it_was_trained_to(
    sections: list[SectionData], target: SectionData, plugins: Plugins, tmp_path: Path, choice: HeadChoice
) -> None:
    options = TrainOptions(head=choice, cohort=FEW, seeds=1, calibrate=False)
    fitted = train(sections, options, heads=plugins.heads, device=CPU)
    detector = Detector.of(fitted, options, sections, "made")
    detector.save(tmp_path / "detector")
    loaded = Detector.load(tmp_path / "detector", heads=plugins.heads, device=CPU)
    resolved = fitted.ensemble.lens.options
    assert resolved.model_dump() != FEW.model_dump()
    assert loaded.config.cohort == resolved.model_dump(mode="json")
    assert loaded.ensemble.lens.options == resolved
    for view, logits in detector.ensemble.score(target).logits.items():
        assert np.array_equal(loaded.ensemble.score(target).logits[view], logits)


def test_logits_are_averaged_over_like_tissue_where_the_head_smooths(
    sections: list[SectionData], target: SectionData, plugins: Plugins
) -> None:
    rough, smooth = trained(sections, plugins, ROUGH), trained(sections, plugins, DEFAULT)
    before, after = rough.score(target), smooth.score(target)
    assert (rough.heads[0].smooths, smooth.heads[0].smooths) == (False, True)
    for view in VIEWS:
        assert after.logits[view].std() < 0.9 * before.logits[view].std()
    assert np.array_equal(after.novelty, before.novelty)


def test_smoothing_is_that_of_the_sections_own_features(
    sections: list[SectionData], target: SectionData, plugins: Plugins
) -> None:
    blind = without_image(target)
    rough, smooth = trained(sections, plugins, ROUGH), trained(sections, plugins, DEFAULT)
    means = Cohort.of([blind], rough.lens, CPU).means("genes")
    average = Smoother.of(blind.xy_um, blind.pitch_um, means)
    assert np.allclose(smooth.score(blind).logits["genes"][0], average(rough.score(blind).logits["genes"][0]))


@EITHER
def test_the_labels_of_a_section_change_none_of_its_scores(
    sections: list[SectionData], target: SectionData, plugins: Plugins, choice: HeadChoice
) -> None:
    ensemble, other = trained(sections, plugins, choice), replace(target, labels=1 - target.labels)
    for view, logits in ensemble.score(target).logits.items():
        assert np.array_equal(ensemble.score(other).logits[view], logits)


@EITHER
@pytest.mark.parametrize(("view", "only"), [("genes", without_image), ("image", without_genes)])
def test_what_a_view_says_does_not_depend_on_what_it_does_not_hold(
    sections: list[SectionData],
    target: SectionData,
    plugins: Plugins,
    choice: HeadChoice,
    view: str,
    only: Any,
) -> None:
    ensemble = trained(sections, plugins, choice)
    alone, beside = ensemble.score(only(target)), ensemble.score(target, view)
    assert np.allclose(alone.logits[view], beside.logits[view], atol=1e-5)
    assert np.allclose(alone.novelty, beside.novelty, atol=1e-5)


def test_a_section_whose_genes_are_wrongly_named_is_beyond_the_training_tissue(
    sections: list[SectionData], plugins: Plugins
) -> None:
    genes = without_images(sections)
    ensemble = trained(genes[:-1], plugins, DEFAULT, CohortOptions())
    right, expression = genes[-1], genes[-1].expression
    assert expression is not None
    wrong = replace(right, expression=Expression(expression.values, expression.symbols[::-1]))
    assert (ensemble.score(wrong).novelty > 1).all()
    assert (ensemble.score(right).novelty > 1).mean() < 0.5
