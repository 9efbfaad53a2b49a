"""Few labelled spots of a patient train, and shape nothing else."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from core.conftest import MakeData

from spacrd_core.cohort.few_labels import ENOUGH_LABELS, held_out_patients, split_by_labels
from spacrd_core.cohort.options import CohortOptions
from spacrd_core.cohort.preprocessing import Preprocessor
from spacrd_core.cohort.section_data import UNKNOWN, SectionData
from spacrd_core.cohort.training_spots import TrainingSpots
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


def test_a_head_is_fitted_to_all_spots_of_some_patients_and_to_the_labelled_ones_of_others(
    sections: list[SectionData],
) -> None:
    _, prepared = Preprocessor.fit_transform(sections, CohortOptions())
    spots, whole = (
        TrainingSpots.by_modality(prepared)["genes"],
        [section.means["genes"].dense() for section in prepared],
    )
    known = sections[2].labels >= 0
    expected = np.concatenate([whole[0], whole[1], whole[2][known]])
    assert np.concatenate([*spots.blocks()]) == pytest.approx(expected, abs=1e-5)
    assert spots.labels.tolist() == [*sections[0].labels, *sections[1].labels, *sections[2].labels[known]]
    assert len(spots.weights) == len(spots.labels)


def test_few_labels_do_not_shape_the_preprocessing_and_change_the_head(
    sections: list[SectionData], plugins: Plugins
) -> None:
    options = TrainOptions(head="linear", seeds=1)
    device = torch.device("cpu")
    without, added = (
        train_calibrated(training, options, heads=plugins.heads, device=device) for training in (sections[:2], sections)
    )
    assert added.ensemble.preprocessor.panel == without.ensemble.preprocessor.panel
    coefficients = [trained.ensemble.heads[0].state_dict()["coefficients"] for trained in (without, added)]
    assert not torch.allclose(*coefficients)


def test_a_patient_of_few_labels_is_not_held_out(sections: list[SectionData], plugins: Plugins) -> None:
    options = TrainOptions(head="linear", seeds=1)
    trained = train_calibrated(sections, options, heads=plugins.heads, device=torch.device("cpu"))
    assert trained.held_out_together == (("A",), ("B",))
    assert [*trained.held_out] == [section.id for section in sections[:2]]
