"""The modality that contributes most to a call, and the genes that drive a section's calls."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from core.conftest import MakeData
from stand_ins.carcinoma import LISTS, NEGATIVE, POSITIVE, carcinoma_section

from spacrd_core.cohort.batch import Batch
from spacrd_core.cohort.cohort import Cohort
from spacrd_core.cohort.prepared import PreparedSection
from spacrd_core.cohort.section_data import SectionData
from spacrd_core.detection import attribution
from spacrd_core.detection.attribution import (
    DrivingGene,
    attach_driving_genes,
    driving_genes,
    driving_genes_from_table,
    gene_attributions,
    top_modality,
)
from spacrd_core.detection.predict import lists_coverage, predict, spot_table
from spacrd_core.model.calibrated_ensemble import CalibratedEnsemble, TrainOptions, train_calibrated
from spacrd_core.model.decision import DecisionRule
from spacrd_core.model.ensemble import Ensemble
from spacrd_core.model.platt import Calibration
from spacrd_core.model.reading import read_by_prior, read_section
from spacrd_core.plugins import Plugins
from spacrd_core.prior.options import PriorOptions
from spacrd_core.prior.read import with_evidence, with_training_evidence
from spacrd_core.prior.score import gene_contributions
from spacrd_core.prior.section_genes import SectionGenes

SMALL = {"width": 16, "hidden": (16,), "latent": 4, "latent_hidden": (16,), "classifier_hidden": 8, "heads": 2}
EPOCHS = {"align": 2, "reconstruct": 2, "detect": 8}
HEADS: dict[str, dict[str, Any]] = {
    "linear": {"head": {"name": "linear", "options": {"components": 3}}, "cohort": {"panel_genes": 30}, "seeds": 1},
    "spacrd": {"head": {"name": "spacrd", "options": SMALL, "epochs": EPOCHS}, "seeds": 2},
    "as published": {
        "head": {"name": "spacrd", "options": {"preset": "paper", "width": 16, "heads": 2}, "epochs": EPOCHS},
        "seeds": 1,
    },
}
BOTH = {"image+genes": 0.7, "genes": 0.5}


def trained_on(sections: list[SectionData], plugins: Plugins, head: str) -> CalibratedEnsemble:
    options = TrainOptions.model_validate(HEADS[head])
    return train_calibrated(sections, options, heads=plugins.heads, device=torch.device("cpu"))


@pytest.fixture
def linear(make_data: MakeData, plugins: Plugins) -> CalibratedEnsemble:
    return trained_on([make_data("A", 1), make_data("B", 2)], plugins, "linear")


def drivers_of(
    trained: CalibratedEnsemble,
    section: PreparedSection,
    table: pd.DataFrame,
    calibrations: Mapping[str, Calibration] | None = None,
    prior: PriorOptions | None = None,
) -> tuple[DrivingGene, ...]:
    reading = read_section(trained.ensemble, calibrations or trained.calibrations, section, prior)
    return driving_genes(reading, section.section, table, ensemble=trained.ensemble, prepared=section)


def odds_beyond_the_mean(ensemble: Ensemble, slopes: Mapping[str, float], section: PreparedSection) -> np.ndarray:
    """How much more the log odds of every spot are than with the section's mean expression everywhere."""
    rows = section.genes
    assert rows is not None
    mean = rows.scaler(np.asarray(rows.values.mean(axis=0)))  # noqa: PD011 - a sparse matrix, no frame
    batch = Cohort.from_sections([section], ensemble.device).everything()
    assert batch.genes is not None
    usual = replace(batch, genes=torch.from_numpy(rows.projection(mean)).expand_as(batch.genes).contiguous())
    with torch.inference_mode():
        beyond = [
            slope * (head.score(batch.select(view)) - head.score(usual.select(view)))
            for view, slope in slopes.items()
            for head in ensemble.heads
        ]
    return (torch.stack(beyond).sum(dim=0) / len(ensemble.heads)).numpy()


@pytest.mark.ci_cases("linear")
@pytest.mark.parametrize("head", HEADS)
def test_attributions_sum_to_what_expression_changes_in_the_log_odds(
    head: str, make_data: MakeData, plugins: Plugins, monkeypatch: pytest.MonkeyPatch
) -> None:
    ensemble = trained_on([make_data("A", 1), make_data("B", 2)], plugins, head).ensemble
    monkeypatch.setattr(attribution, "BATCH", 7)
    monkeypatch.setattr(attribution, "STEPS", 32)
    section = ensemble.prepare(make_data("D", 4))
    spots = np.flatnonzero(section.section.labels == 1)
    wanted = odds_beyond_the_mean(ensemble, BOTH, section)[spots]
    found = gene_attributions(ensemble, BOTH, section, spots)
    usual = float(np.abs(wanted).mean())
    assert usual > 1e-4
    assert found.sum() == pytest.approx(wanted.mean(), abs=0.02 * usual)


def test_attributions_of_a_linear_head_are_its_weights_times_what_spots_have_beyond_the_mean(
    linear: CalibratedEnsemble, make_data: MakeData
) -> None:
    section, head = linear.ensemble.prepare(make_data("D", 4)), linear.ensemble.heads[0]
    assert section.genes is not None
    genes = section.genes[:].numpy()
    own = torch.arange(30)[:, None]
    nothing = Batch(torch.zeros(30, 30), None, own, own >= 0, torch.zeros(30).long(), torch.zeros(30))
    weights = head.score(replace(nothing, genes=torch.eye(30))) - head.score(nothing)
    around, present = section.aligned.neighbours, section.aligned.present
    means = (genes[around] * present[..., None]).sum(axis=1) / present.sum(axis=1, keepdims=True)
    spots = np.arange(40)
    found = gene_attributions(linear.ensemble, {"genes": 1.0}, section, spots)
    np.testing.assert_allclose(found, (means[spots] * weights.numpy()).mean(axis=0), atol=1e-4)


def test_genes_that_tumours_express_drive_the_calls_and_say_where_they_are_expressed(
    linear: CalibratedEnsemble, make_data: MakeData
) -> None:
    section = linear.ensemble.prepare(make_data("D", 4, image=False))
    table = predict(linear.ensemble, linear.calibrations, section)
    drivers = drivers_of(linear, section, table)
    assert {driver.gene for driver in drivers[:4]} == {"G0", "G1", "G2", "G3"}
    assert all(driver.mean_normal is not None and driver.mean_cancer > driver.mean_normal for driver in drivers[:4])
    up = [driver.attribution for driver in drivers if driver.attribution > 0]
    down = [driver.attribution for driver in drivers if driver.attribution < 0]
    assert [driver.attribution for driver in drivers] == [*sorted(up, reverse=True), *sorted(down)]
    attach_driving_genes(drivers, table)
    assert driving_genes_from_table(table) == drivers
    assert driving_genes_from_table(table[[]].reset_index()) == drivers


def test_at_most_twenty_genes_are_listed_either_way_and_as_many_spots_looked_at(
    linear: CalibratedEnsemble, make_data: MakeData, monkeypatch: pytest.MonkeyPatch
) -> None:
    section = linear.ensemble.prepare(make_data("D", 4, image=False))
    table = predict(linear.ensemble, linear.calibrations, section)
    monkeypatch.setattr(attribution, "GENES_LISTED", 3)
    monkeypatch.setattr(attribution, "MAX_SPOTS", 12)
    looked_at = []

    def watched(*arguments: Any) -> np.ndarray:
        looked_at.append(arguments[-1])
        return gene_attributions(*arguments)

    monkeypatch.setattr(attribution, "gene_attributions", watched)
    first, again = (drivers_of(linear, section, table) for _ in range(2))
    assert first == again
    assert [np.sign(driver.attribution) for driver in first] == [1, 1, 1, -1, -1, -1]
    assert len(looked_at[0]) == 12
    assert (table["label"].iloc[looked_at[0]] == "cancer").all()


def test_no_gene_drives_calls_from_the_image_alone_or_where_nothing_is_cancer(
    linear: CalibratedEnsemble, make_data: MakeData
) -> None:
    section = linear.ensemble.prepare(make_data("D", 4))
    table = predict(linear.ensemble, linear.calibrations, section)
    image = dict.fromkeys(linear.calibrations, Calibration.none("image", "made"))
    assert drivers_of(linear, section, table, image) == ()
    assert drivers_of(linear, section, table.assign(label="normal")) == ()
    genes = dict.fromkeys(linear.calibrations, Calibration.none("genes", "made"))
    everywhere = drivers_of(linear, section, table.assign(label="cancer"), genes)
    assert {driver.mean_normal for driver in everywhere} == {None}


def test_no_gene_is_listed_where_a_head_leaves_torch_and_nobody_can_tell(
    linear: CalibratedEnsemble, make_data: MakeData, monkeypatch: pytest.MonkeyPatch
) -> None:
    section = linear.ensemble.prepare(make_data("C", 3))
    table = predict(linear.ensemble, linear.calibrations, section)
    head = type(linear.ensemble.heads[0])
    features = head.features
    monkeypatch.setattr(head, "features", lambda self, batch: features(self, batch).detach())
    assert (table["label"] == "cancer").any()
    assert drivers_of(linear, section, table) == ()


def test_genes_of_the_lists_drive_the_built_in_detector_by_what_they_add_to_the_log_odds() -> None:
    section = with_evidence(carcinoma_section(), LISTS)
    reading = read_by_prior(section, PriorOptions())
    table = spot_table(reading, section, lists_coverage(section, LISTS), DecisionRule())
    drivers = driving_genes(reading, section, table)
    raising = [driver for driver in drivers if driver.attribution > 0]
    assert len(raising) == 20
    assert {driver.gene for driver in raising} <= {*POSITIVE, *NEGATIVE}
    assert all((driver.mean_cancer > (driver.mean_normal or 0)) == (driver.gene in POSITIVE) for driver in raising)
    assert section.expression is not None
    assert section.evidence is not None
    assert section.evidence.loadings is not None
    cancer = np.flatnonzero(table["label"] == "cancer")
    genes = SectionGenes(section.expression, section.xy_um, section.pitch_um)
    by_lists = gene_contributions(genes, section.evidence.loadings, cancer)
    best = section.expression.symbols.index(drivers[0].gene)
    assert drivers[0].attribution == pytest.approx(reading.evidence_slope * by_lists[best])
    assert drivers[0].attribution == pytest.approx(reading.evidence_slope * by_lists.max())


@pytest.mark.slow
def test_genes_drive_a_trained_detector_by_its_head_and_by_the_lists(plugins: Plugins) -> None:
    sections = [with_training_evidence(carcinoma_section(patient, seed), LISTS) for seed, patient in enumerate("ABC")]
    options = TrainOptions.model_validate({"head": "spacrd", "seeds": 1, "cohort": {"panel_genes": 60}})
    trained = train_calibrated(sections, options, heads=plugins.heads, device=torch.device("cpu"))
    assert trained.prior is not None
    section = trained.ensemble.prepare(with_evidence(carcinoma_section("D", 9), LISTS))
    table = predict(trained.ensemble, trained.calibrations, section, prior=trained.prior)
    both = {driver.gene: driver.attribution for driver in drivers_of(trained, section, table, prior=trained.prior)}
    head = {driver.gene: driver.attribution for driver in drivers_of(trained, section, table)}
    evidence, expression = section.section.evidence, section.section.expression
    assert evidence is not None
    assert evidence.loadings is not None
    assert expression is not None
    spots = np.flatnonzero(table["label"] == "cancer")
    slope = trained.prior.genes_weight * trained.calibrations["genes"].slopes["genes"]
    genes = SectionGenes(expression, section.section.xy_um, section.section.pitch_um)
    by_lists = slope * gene_contributions(genes, evidence.loadings, spots)
    shared = both.keys() & head.keys()
    assert len(shared) > 20
    for gene in shared:
        assert both[gene] == pytest.approx(head[gene] + by_lists[expression.symbols.index(gene)], abs=1e-4)


def test_the_top_modality_is_the_one_that_pushes_most_to_the_side_a_spot_was_called() -> None:
    calibration = Calibration(weights={"genes": 0.5, "image": 0.5}, slopes={"genes": 2.0, "image": 1.0})
    logits = {"genes": np.array([11.0, 9.0, 10.0, 10.0]), "image": np.array([1.0, -4.0, 3.0, 0.0])}
    cancer = np.array([True, False, True, False])
    top, contribution = top_modality(calibration, logits, cancer=cancer, measured=np.ones(4, dtype=bool))
    assert top.tolist() == ["genes", "image", "image", "genes"]
    np.testing.assert_allclose(contribution, [2.0, -4.0, 3.0, 0.0])
    assert top.categories.tolist() == ["genes", "image", "fusion"]


def test_spots_in_which_nothing_was_measured_have_no_top_modality_and_do_not_move_the_mean() -> None:
    seen = np.array([True, True, False])
    top, contribution = top_modality(
        Calibration.none("image+genes", "made"), {"image+genes": np.array([1.0, 3.0, 99.0])}, cancer=seen, measured=seen
    )
    assert top.tolist() == ["fusion", "fusion", np.nan]
    np.testing.assert_allclose(contribution, [-1.0, 1.0, np.nan])
    assert (
        top_modality(
            Calibration.none("genes", "made"), {"genes": np.ones(2)}, cancer=seen[:2], measured=np.zeros(2, dtype=bool)
        )[0]
        .isna()
        .all()
    )


def test_a_spot_table_has_the_top_modality_of_every_spot(linear: CalibratedEnsemble, make_data: MakeData) -> None:
    alone = predict(linear.ensemble, linear.calibrations, linear.ensemble.prepare(make_data("D", 4, image=False)))
    assert set(alone["top_modality"]) == {"genes"}
    assert alone["top_contribution"].mean() == pytest.approx(0, abs=1e-6)
    rises = np.argsort(alone["top_contribution"].to_numpy()), np.argsort(alone["probability"].to_numpy())
    np.testing.assert_array_equal(*rises)
