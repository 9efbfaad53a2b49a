"""Metrics of one section against calculations by hand."""

import numpy as np
import pytest

from spacrd_core.metrics.classification import expected_calibration_error, measure

PROBABILITIES = np.array([0.9, 0.8, 0.4, 0.35, 0.1])
LABELS = np.array([1, 0, 1, 0, 0])


def test_auc_is_the_share_of_pairs_in_the_right_order() -> None:
    assert measure(PROBABILITIES, LABELS, 0.5).auc == pytest.approx(5 / 6)


def test_average_precision_is_the_mean_precision_at_the_cancer_spots() -> None:
    assert measure(PROBABILITIES, LABELS, 0.5).ap == pytest.approx((1 / 1 + 2 / 3) / 2)


def test_f1_at_prevalence_calls_as_many_spots_as_truly_are_cancer() -> None:
    assert measure(PROBABILITIES, LABELS, 0.5).f1_prevalence == pytest.approx(2 * 1 / (2 + 2))


def test_f1_at_prevalence_calls_no_more_than_that_where_probabilities_are_equal() -> None:
    assert measure(np.full(5, 0.5), LABELS, 0.5).f1_prevalence == pytest.approx(2 * 1 / (2 + 2))


@pytest.mark.parametrize(("threshold", "f1"), [(0.4, 2 * 2 / (3 + 2)), (0.85, 2 * 1 / (1 + 2)), (0.95, 0.0)])
def test_f1_takes_the_detectors_own_threshold(threshold: float, f1: float) -> None:
    assert measure(PROBABILITIES, LABELS, threshold).f1 == pytest.approx(f1)


def test_the_brier_score_is_the_mean_squared_distance_from_the_label() -> None:
    expected = (0.1**2 + 0.8**2 + 0.6**2 + 0.35**2 + 0.1**2) / 5
    assert measure(PROBABILITIES, LABELS, 0.5).brier == pytest.approx(expected)


def test_the_calibration_error_weighs_each_bins_distance_by_its_spots() -> None:
    probabilities = np.array([0.05, 0.07, 0.95, 1.0])
    labels = np.array([0, 1, 1, 1])
    assert expected_calibration_error(probabilities, labels) == pytest.approx(abs(0.12 - 1) / 4 + abs(1.95 - 2) / 4)


def test_probabilities_that_are_frequencies_have_no_calibration_error() -> None:
    assert expected_calibration_error(np.full(4, 0.25), np.array([1, 0, 0, 0])) == pytest.approx(0.0)


@pytest.mark.parametrize("label", [0, 1])
def test_what_means_nothing_on_one_class_is_left_out(label: int) -> None:
    figures = measure(PROBABILITIES, np.full(5, label), 0.5)
    assert (figures.auc, figures.ap, figures.f1_prevalence) == (None, None, None)
    assert (figures.spots, figures.positives) == (5, 5 * label)
    assert (figures.f1 is None) == (label == 0)
    assert figures.brier == pytest.approx(np.mean((PROBABILITIES - label) ** 2))
