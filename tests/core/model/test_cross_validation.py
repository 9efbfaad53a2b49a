"""Cross-validation decides the calibration; where it cannot, a subset of the modalities is used."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from core.conftest import MakeData

from spacrd_core.cohort.options import CohortOptions
from spacrd_core.cohort.section_data import SectionData
from spacrd_core.detection.predict import predict
from spacrd_core.model.calibrated_ensemble import CalibratedEnsemble, TrainOptions, train_calibrated
from spacrd_core.model.cross_validation import OutOfFold, mean_auc
from spacrd_core.model.options import HeadOptions
from spacrd_core.model.platt import Calibration
from spacrd_core.plugins import Plugins

FEW = CohortOptions(panel_genes=20)
SPACRD = HeadOptions(name="spacrd", epochs={"align": 1, "reconstruct": 1, "detect": 2})


def fitted(
    sections: list[SectionData], plugins: Plugins, choice: HeadOptions | None = None, *, calibrate: bool = True
) -> CalibratedEnsemble:
    options = TrainOptions(head=choice or HeadOptions(name="linear"), cohort=FEW, seeds=1, calibrate=calibrate)
    return train_calibrated(sections, options, heads=plugins.heads, device=torch.device("cpu"))


@pytest.fixture
def one_image(make_data: MakeData) -> list[SectionData]:
    """Three patients, one of whom has an image."""
    return [make_data("A", 1), make_data("B", 2, image=False), make_data("C", 3, image=False)]


@pytest.mark.parametrize("choice", [HeadOptions(name="linear"), SPACRD], ids=["linear", "spacrd"])
def test_modalities_that_no_patient_calibrates_use_the_calibration_of_a_subset(
    one_image: list[SectionData], make_data: MakeData, plugins: Plugins, choice: HeadOptions
) -> None:
    trained = fitted(one_image, plugins, choice)
    both, genes = trained.calibrations["image+genes"], trained.calibrations["genes"]
    assert (both.method, both.weights) == ("platt", {"genes": 1.0})
    assert (both.slopes, both.intercept, both.threshold) == (genes.slopes, genes.intercept, genes.threshold)
    assert both.threshold_rule == "that of genes alone, as no patient with image+genes could be held out"
    target = trained.ensemble.prepare(make_data("D", 4))
    logits = trained.ensemble.score(target, "image+genes", ["genes"]).logits["genes"].mean(axis=0)
    table = predict(trained.ensemble, trained.calibrations, target)
    assert np.array_equal(table["probability"], genes.probabilities({"genes": logits}))


def test_modalities_without_a_calibrated_subset_give_the_reason(one_image: list[SectionData], plugins: Plugins) -> None:
    image = fitted(one_image, plugins).calibrations["image"]
    assert (image.method, image.threshold_rule) == ("none", "0.5, as no patient with image could be held out")


def test_one_class_among_the_held_out_patients_with_an_image_is_the_reason(
    make_data: MakeData, plugins: Plugins
) -> None:
    zeros = np.zeros(81, dtype=np.int64)
    healthy = [replace(make_data("A", 1), labels=zeros), replace(make_data("B", 2), labels=zeros)]
    blind = [make_data("C", 3, image=False), make_data("D", 4, image=False)]
    found = fitted([*healthy, *blind], plugins).calibrations
    why = "as the held-out patients with image+genes have spots of one class only"
    assert found["image+genes"].threshold_rule == f"that of genes alone, {why}"


def test_calibration_that_was_switched_off_is_the_reason(one_image: list[SectionData], plugins: Plugins) -> None:
    found = fitted(one_image, plugins, calibrate=False).calibrations
    assert {item.threshold_rule for item in found.values()} == {"0.5, as calibration was switched off"}


def test_epochs_for_a_phase_that_a_fold_does_not_have_apply_to_the_others(
    one_image: list[SectionData], plugins: Plugins
) -> None:
    choice = HeadOptions(name="spacrd", options={"align_epochs": 0}, epochs={"align": 2, "reconstruct": 0, "detect": 1})
    trained = fitted(one_image, plugins, choice)
    assert [(epoch.phase, epoch.number) for epoch in trained.curve] == [("align", 1), ("align", 2), ("detect", 1)]


def test_the_auc_of_a_patient_is_the_mean_over_its_sections(make_data: MakeData) -> None:
    labels = np.arange(81) % 2
    sections = [replace(make_data("A", seed), labels=labels) for seed in (1, 2)]
    healthy = replace(make_data("A", 3), labels=np.zeros(81, dtype=np.int64))
    # The classes are separated within each section but not in the pooled sections, whose logits have different offsets.
    logits = [labels + 10.0, labels - 10.0, np.zeros(81)]
    fold = [
        OutOfFold(section, {"genes": {"genes": values}})
        for section, values in zip([*sections, healthy], logits, strict=True)
    ]
    assert mean_auc(fold) == 1.0
    assert mean_auc(fold[2:]) is None


def test_out_of_fold_probabilities_are_calibrated(make_data: MakeData) -> None:
    fold = OutOfFold(make_data("A", 1), {"genes": {"genes": np.zeros(81)}})
    calibration = Calibration(weights={"genes": 1.0}, slopes={"genes": 1.0}, intercept=1.0)
    assert np.allclose(fold.probabilities({"genes": calibration}), 1 / (1 + np.exp(-1.0)))
