"""Few labelled spots of a patient train, and shape nothing else."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from core.conftest import MakeData

from spacrd_core.cohort.few_labels import ENOUGH_LABELS, held_out_patients, split_by_labels
from spacrd_core.cohort.section_data import UNKNOWN, SectionData
from spacrd_core.model.calibrated_ensemble import TrainOptions, train_calibrated
from spacrd_core.plugins import Plugins


def few(section: SectionData, count: int = 5) -> SectionData:
    labels = section.labels.copy()
    labels[np.random.default_rng(0).permutation(len(labels))[count:]] = UNKNOWN
    return replace(section, labels=labels)


@pytest.fixture
def sections(make_data: MakeData) -> list[SectionData]:
    return [make_data("A", 0), make_data("B", 1), few(make_data("C", 2))]


def test_sections_of_one_patient_are_counted_together(make_data: MakeData) -> None:
    two = [few(make_data("A", seed), ENOUGH_LABELS // 2) for seed in (0, 1)]
    assert split_by_labels([*two, few(make_data("B", 2), ENOUGH_LABELS - 1)])[0] == two


def test_if_no_patient_has_enough_all_shape_and_are_held_out(make_data: MakeData) -> None:
    small = [few(make_data(patient, 0)) for patient in "ABC"]
    assert split_by_labels(small) == (small, [])
    assert held_out_patients(small) == ["A", "B", "C"]


def test_few_labels_change_the_head_but_not_what_is_fitted_without_labels(
    sections: list[SectionData], plugins: Plugins
) -> None:
    options = TrainOptions(head="linear", seeds=1)
    device = torch.device("cpu")
    without, added = (
        train_calibrated(training, options, heads=plugins.heads, device=device) for training in (sections[:2], sections)
    )
    before, after = without.ensemble.heads[0].state_dict(), added.ensemble.heads[0].state_dict()
    assert added.ensemble.preprocessor.panel == without.ensemble.preprocessor.panel
    assert {name for name in before if not torch.equal(before[name], after[name])} == {"coefficients", "intercept"}


def test_a_patient_of_few_labels_is_not_held_out(sections: list[SectionData], plugins: Plugins) -> None:
    options = TrainOptions(head="linear", seeds=1)
    trained = train_calibrated(sections, options, heads=plugins.heads, device=torch.device("cpu"))
    assert trained.held_out_together == (("A",), ("B",))
    assert [*trained.held_out] == [section.id for section in sections[:2]]
