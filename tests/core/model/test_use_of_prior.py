"""Whether a detector uses what its sections say of themselves, and what it is calibrated by with few patients."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from stand_ins.carcinoma import LISTS, carcinoma_section

from spacrd_core.cohort.options import CohortOptions
from spacrd_core.cohort.section_data import SectionData
from spacrd_core.model.calibrated_ensemble import CalibratedEnsemble, TrainOptions, train_calibrated
from spacrd_core.model.prior_calibration import prior_calibration
from spacrd_core.model.reading import read_section
from spacrd_core.plugins import Plugins
from spacrd_core.prior.options import PriorOptions
from spacrd_core.prior.read import with_evidence, with_training_evidence

OPTIONS = TrainOptions(cohort=CohortOptions(panel_genes=100), seeds=1)


def patients(names: str, *, epithelium: float = 1.0) -> list[SectionData]:
    made = [carcinoma_section(name, seed, epithelium=epithelium) for seed, name in enumerate(names)]
    return [with_training_evidence(section, LISTS) for section in made]


def train(sections: list[SectionData], plugins: Plugins, options: TrainOptions = OPTIONS) -> CalibratedEnsemble:
    return train_calibrated(sections, options, heads=plugins.heads, device=torch.device("cpu"))


def test_a_detector_of_carcinoma_uses_it(plugins: Plugins) -> None:
    trained = train(patients("ABC"), plugins)
    assert (trained.prior, trained.without_prior) == (PriorOptions(), "")


@pytest.mark.ci_cases(1)
@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (OPTIONS.model_copy(update={"prior": PriorOptions(use=False)}), "switched off"),
        (OPTIONS.model_copy(update={"head": TrainOptions(head="linear").head}), "'linear' does not use it"),
    ],
    ids=["switched off", "linear"],
)
def test_it_is_not_used_if_switched_off_or_unknown_to_the_head(
    plugins: Plugins, options: TrainOptions, reason: str
) -> None:
    trained = train(patients("AB"), plugins, options)
    assert trained.prior is None
    assert reason in trained.without_prior


@pytest.mark.slow
def test_training_tissue_without_epithelium_does_without_it(plugins: Plugins) -> None:
    trained = train([*patients("AB"), *patients("C", epithelium=0.01)], plugins)
    assert trained.prior is None
    assert "no epithelium" in trained.without_prior


def test_a_detector_does_without_it_where_held_out_patients_are_worse_with_it(plugins: Plugins) -> None:
    """The labels are those of a tissue that the lists are not for: the opposite of the tumour."""
    trained = train([replace(section, labels=1 - section.labels) for section in patients("ABC")], plugins)
    assert trained.prior is None
    assert "worse with it" in trained.without_prior


@pytest.mark.slow
@pytest.mark.ci_cases(1)
@pytest.mark.parametrize(("names", "method"), [("A", "prior"), ("AB", "prior"), ("ABCD", "platt")])
def test_genes_of_fewer_than_three_held_out_patients_are_calibrated_by_constants(
    plugins: Plugins, names: str, method: str
) -> None:
    trained = train(patients(names), plugins)
    calibration = trained.calibrations["genes"]
    assert calibration.method == method
    assert (calibration == prior_calibration("genes")) == (method == "prior")


def test_one_patient_is_enough_to_call_most_spots_of_another_right(plugins: Plugins) -> None:
    trained, target = train(patients("A"), plugins), with_evidence(carcinoma_section("Z", 9), LISTS)
    reading = read_section(trained.ensemble, trained.calibrations, trained.ensemble.prepare(target), trained.prior)
    called = reading.probability >= reading.calibration.threshold
    assert np.mean(called == (target.labels == 1)) > 0.9
