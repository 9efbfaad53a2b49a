"""What held-out patients decide, and what is called by where they cannot."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from spacrd_core.cohort.options import CohortOptions
from spacrd_core.detection.predict import predict
from spacrd_core.model.calibrated_ensemble import Trained, TrainOptions, train
from spacrd_core.model.cross_validation import HeldOut, auc
from spacrd_core.model.options import HeadChoice

if TYPE_CHECKING:
    from conftest import MakeData

    from spacrd_core.cohort.section_data import SectionData
    from spacrd_core.plugins import Plugins

FEW = CohortOptions(panel_genes=20)
SPACRD = HeadChoice(name="spacrd", epochs={"align": 1, "reconstruct": 1, "detect": 2})


def fitted(
    sections: list[SectionData], plugins: Plugins, choice: HeadChoice | None = None, *, calibrate: bool = True
) -> Trained:
    options = TrainOptions(head=choice or HeadChoice(name="linear"), cohort=FEW, seeds=1, calibrate=calibrate)
    return train(sections, options, heads=plugins.heads, device=torch.device("cpu"))


@pytest.fixture
def one_image(make_data: MakeData) -> list[SectionData]:
    """Three patients, one of whom has an image."""
    return [make_data("A", 1), make_data("B", 2, image=False), make_data("C", 3, image=False)]


@pytest.mark.parametrize("choice", [HeadChoice(name="linear"), SPACRD], ids=["linear", "spacrd"])
def test_a_view_that_no_patient_calibrates_is_called_by_the_narrower_one(
    one_image: list[SectionData], make_data: MakeData, plugins: Plugins, choice: HeadChoice
) -> None:
    trained = fitted(one_image, plugins, choice)
    both, genes = trained.calibrations["image+genes"], trained.calibrations["genes"]
    assert (both.method, both.shares) == ("platt", {"genes": 1.0})
    assert (both.slopes, both.intercept, both.threshold) == (genes.slopes, genes.intercept, genes.threshold)
    assert both.threshold_rule == "that of genes alone, as no patient with image+genes could be held out"
    target = make_data("D", 4)
    logits = trained.ensemble.score(target, "image+genes", ["genes"]).logits["genes"].mean(axis=0)
    table = predict(trained.ensemble, trained.calibrations, target)
    assert np.array_equal(table["probability"], genes.probabilities({"genes": logits}))


def test_a_view_with_nothing_narrower_says_why_it_is_not_calibrated(
    one_image: list[SectionData], plugins: Plugins
) -> None:
    image = fitted(one_image, plugins).calibrations["image"]
    assert (image.method, image.threshold_rule) == ("none", "0.5, as no patient with image could be held out")


def test_one_class_among_the_held_out_patients_with_an_image_is_told(make_data: MakeData, plugins: Plugins) -> None:
    zeros = np.zeros(81, dtype=np.int64)
    healthy = [replace(make_data("A", 1), labels=zeros), replace(make_data("B", 2), labels=zeros)]
    blind = [make_data("C", 3, image=False), make_data("D", 4, image=False)]
    found = fitted([*healthy, *blind], plugins).calibrations
    why = "as the held-out patients with image+genes have spots of one class only"
    assert found["image+genes"].threshold_rule == f"that of genes alone, {why}"


def test_calibration_that_was_not_asked_for_is_said_to_be_so(one_image: list[SectionData], plugins: Plugins) -> None:
    found = fitted(one_image, plugins, calibrate=False).calibrations
    assert {item.threshold_rule for item in found.values()} == {"0.5, as calibration was not asked for"}


def test_a_length_for_a_phase_that_a_fold_has_not_is_for_the_others(
    one_image: list[SectionData], plugins: Plugins
) -> None:
    choice = HeadChoice(name="spacrd", options={"align_epochs": 0}, epochs={"align": 2, "reconstruct": 0, "detect": 1})
    trained = fitted(one_image, plugins, choice)
    assert [(epoch.phase, epoch.number) for epoch in trained.curve] == [("align", 1), ("align", 2), ("detect", 1)]


def test_the_auc_of_a_patient_is_the_mean_over_its_sections(make_data: MakeData) -> None:
    labels = np.arange(81) % 2
    sections = [replace(make_data("A", seed), labels=labels) for seed in (1, 2)]
    healthy = replace(make_data("A", 3), labels=np.zeros(81, dtype=np.int64))
    # Either section is told apart without a mistake; together they would not be, for their logits lie far apart.
    logits = [labels + 10.0, labels - 10.0, np.zeros(81)]
    fold = [
        HeldOut(section, {"genes": {"genes": said}}) for section, said in zip([*sections, healthy], logits, strict=True)
    ]
    assert auc(fold) == 1.0
    assert auc(fold[2:]) is None
