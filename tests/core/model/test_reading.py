"""How a section is read: trained logits with its own evidence, or led by the evidence where the two disagree."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score
from stand_ins.carcinoma import LISTS, carcinoma_section, half_tumour

from spacrd_core.cohort.options import CohortOptions
from spacrd_core.cohort.section_data import SectionData, with_modalities
from spacrd_core.errors import DetectorError
from spacrd_core.model.calibrated_ensemble import CalibratedEnsemble, TrainOptions, train_calibrated
from spacrd_core.model.combination import combine, combine_by_evidence
from spacrd_core.model.findings import Findings
from spacrd_core.model.options import HeadOptions
from spacrd_core.model.prior_calibration import RULE, prior_calibration
from spacrd_core.model.reading import Reading, read_by_prior, read_section
from spacrd_core.plugins import Plugins
from spacrd_core.prior.options import PriorOptions
from spacrd_core.prior.read import with_evidence, with_training_evidence

SHORT = {"align": 1, "reconstruct": 1, "detect": 6}
SMALL = {"width": 8, "hidden": (8,), "latent": 4, "latent_hidden": (8,), "classifier_hidden": 8, "heads": 2}
OPTIONS = TrainOptions(head=HeadOptions(name="spacrd", options=SMALL), cohort=CohortOptions(panel_genes=100), seeds=2)
WITH_IMAGE = OPTIONS.model_copy(update={"head": HeadOptions(name="spacrd", options=SMALL, epochs=SHORT)})
PRIOR = PriorOptions()


def train(sections: Sequence[SectionData], plugins: Plugins, options: TrainOptions = OPTIONS) -> CalibratedEnsemble:
    read = [with_training_evidence(section, LISTS) for section in sections]
    return train_calibrated(read, options, heads=plugins.heads, device=torch.device("cpu"))


def cohort(*, image: bool = False, tumour: bool = True) -> list[SectionData]:
    """Three patients; without ``tumour`` their labels say the opposite of the tissue."""
    sections = [carcinoma_section(patient, seed, image=image) for seed, patient in enumerate("ABC")]
    return sections if tumour else [replace(section, labels=1 - section.labels) for section in sections]


@pytest.fixture(scope="module")
def trained(plugins: Plugins) -> CalibratedEnsemble:
    return train(cohort(), plugins)


@pytest.fixture(scope="module")
def contrary(plugins: Plugins) -> CalibratedEnsemble:
    """A detector of everything but the tumour, which no held-out patient keeps from using the prior."""
    return train(cohort(tumour=False), plugins, OPTIONS.model_copy(update={"calibrate": False}))


@pytest.fixture
def target() -> SectionData:
    return with_evidence(carcinoma_section("D", 9), LISTS)


def read(trained: CalibratedEnsemble, section: SectionData, prior: PriorOptions | None = PRIOR) -> Reading:
    return read_section(trained.ensemble, trained.calibrations, trained.ensemble.prepare(section), prior)


@pytest.mark.slow
def test_training_measures_that_the_prior_helps_and_calibrates_with_the_amount(trained: CalibratedEnsemble) -> None:
    assert (trained.prior, trained.without_prior) == (PRIOR, "")
    assert trained.calibrations["genes"].method == "platt"
    assert trained.calibrations["genes"].amount is not None


def test_a_section_that_agrees_is_read_by_logits_and_lists(trained: CalibratedEnsemble, target: SectionData) -> None:
    found = read(trained, target)
    assert target.evidence is not None
    prepared = trained.ensemble.prepare(target)
    logits = trained.ensemble.score(prepared, "genes", ("genes",)).logits
    wanted = combine(logits, "genes", target.evidence, PRIOR)
    np.testing.assert_allclose(found.parts["genes"], wanted.parts["genes"])
    assert found.agreement == wanted.agreement
    assert found.agreement["genes"] > 0.6
    assert found.calibration is trained.calibrations["genes"]
    assert not found.disagrees
    assert roc_auc_score(half_tumour(), found.probability) > 0.95
    assert found.spread.shape == found.probability.shape


@pytest.mark.parametrize("evidence", ["unread", "not asked for"])
def test_without_the_prior_logits_are_read_unchanged(
    trained: CalibratedEnsemble, target: SectionData, evidence: str
) -> None:
    section, prior = (replace(target, evidence=None), PRIOR) if evidence == "unread" else (target, None)
    found = read(trained, section, prior)
    logits = trained.ensemble.score(trained.ensemble.prepare(section), "genes", ("genes",)).logits
    np.testing.assert_array_equal(found.parts["genes"], logits["genes"])
    assert (found.agreement, found.evidence, found.evidence_slope) == ({}, None, 0.0)
    assert found.head_slopes == trained.calibrations["genes"].slopes


def test_a_detector_that_disagrees_is_led_by_the_evidence(contrary: CalibratedEnsemble, target: SectionData) -> None:
    found = read(contrary, target)
    assert found.agreement["genes"] < -0.5
    assert found.disagrees
    assert found.calibration == prior_calibration("genes")
    assert roc_auc_score(half_tumour(), found.probability) > 0.95
    assert (found.head_slopes, found.evidence_weight) == ({}, 1.0)
    findings = Findings.of(found)
    assert findings.no_regions_reason == "detector and prior disagree"
    assert not findings.makes_no_call
    assert "detector and prior disagree" in findings.cautions[0]


@pytest.mark.parametrize("share", [0.15, 0.5, 0.85])
def test_as_much_is_called_as_is_tumour(trained: CalibratedEnsemble, share: float) -> None:
    tumour = np.arange(144) < share * 144
    found = read(trained, with_evidence(carcinoma_section("E", 5, tumour=tumour), LISTS))
    assert not found.disagrees
    assert (found.probability >= found.calibration.threshold).mean() == pytest.approx(share, abs=0.1)


def test_a_section_without_tumour_is_not_called(trained: CalibratedEnsemble) -> None:
    found = read(trained, with_evidence(carcinoma_section("E", 5, tumour=np.zeros(144, dtype=bool)), LISTS))
    assert (found.probability >= found.calibration.threshold).mean() < 0.05


def test_the_amount_is_known_by_the_lists_and_not_without_them(
    trained: CalibratedEnsemble, target: SectionData
) -> None:
    assert not read(trained, target).amount_unknown
    assert target.evidence is not None
    without = replace(target, evidence=replace(target.evidence, amount=type(target.evidence.amount)()))
    found = read(trained, without)
    assert found.amount_unknown
    assert "how much of the section is tumour is not known" in Findings.of(found).cautions[0]


@pytest.mark.slow
def test_an_image_carries_the_amount_in_its_level(plugins: Plugins) -> None:
    trained = train(cohort(image=True), plugins, WITH_IMAGE)
    found = read(trained, with_evidence(carcinoma_section("D", 9, image=True), LISTS))
    assert found.modalities == "image+genes"
    assert set(found.parts) == {"image", "genes"}
    assert set(found.agreement) == {"image", "genes"}
    assert not found.amount_unknown


def with_shuffled_genes(section: SectionData) -> SectionData:
    order = np.random.default_rng(3).permutation(len(section.labels))
    expression = section.expression
    assert expression is not None
    return replace(section, expression=replace(expression, values=expression.values[order]))


@pytest.mark.slow
def test_nothing_is_learned_from_genes_in_random_places(plugins: Plugins) -> None:
    first, *others = cohort(image=True)
    trained = train([with_shuffled_genes(first), *others], plugins, WITH_IMAGE)
    assert trained.unread == {first.id: "genes"}
    assert train([first, *others], plugins, WITH_IMAGE).unread == {}


@pytest.mark.slow
def test_genes_in_random_places_are_left_out_and_said_so(plugins: Plugins) -> None:
    trained, section = train(cohort(image=True), plugins, WITH_IMAGE), carcinoma_section("D", 9, image=True)
    lost = with_shuffled_genes(section)
    found = read(trained, with_evidence(lost, LISTS))
    assert (found.modalities, list(found.parts)) == ("image", ["image"])
    assert Findings.of(found).unstructured == ("genes",)
    assert roc_auc_score(half_tumour(), found.probability) > 0.95


@pytest.mark.parametrize("modalities", ["genes", "image", "image+genes"])
def test_the_built_in_detector_reads_what_there_is(modalities: str) -> None:
    section = carcinoma_section(genes="genes" in modalities, image="image" in modalities)
    section = with_evidence(section, LISTS)
    found = read_by_prior(section, PRIOR)
    assert section.evidence is not None
    assert found.modalities == modalities
    for name, values in combine_by_evidence(modalities, section.evidence, {}, PRIOR).items():
        np.testing.assert_array_equal(found.parts[name], values)
    assert found.calibration.threshold_rule == RULE
    assert np.isnan(found.ood).all()
    assert not found.trained
    assert found.amount_unknown == (modalities == "image")
    assert Findings.of(found).makes_no_call == (modalities == "image")
    assert roc_auc_score(half_tumour(), found.probability) > 0.95


def test_the_built_in_detector_refuses_a_section_that_says_nothing() -> None:
    section = with_evidence(carcinoma_section(), LISTS)
    with pytest.raises(DetectorError, match="measures no gene of the lists 'carcinoma', and has no image") as caught:
        read_by_prior(with_modalities(section, genes=False, image=False), PRIOR)
    assert "symbol or Ensembl id" in caught.value.hint


def test_slopes_tell_what_evidence_and_head_add_to_the_log_odds(
    trained: CalibratedEnsemble, target: SectionData
) -> None:
    found, slope = read(trained, target), trained.calibrations["genes"].slopes["genes"]
    assert found.head_slopes == {"genes": slope}
    assert found.evidence_slope == pytest.approx(PRIOR.genes_weight * slope)
    alone = read_by_prior(target, PRIOR)
    assert alone.evidence_slope == pytest.approx(prior_calibration("genes").slopes["genes"], rel=1e-3)
