import numpy as np
import pytest
from scipy.special import expit

from spacrd_core.metrics.classification import expected_calibration_error, measure
from spacrd_core.model.platt import Calibration, best_threshold, calibrate


@pytest.fixture
def overconfident() -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Logits three times too large, of three patients."""
    rng = np.random.default_rng(0)
    true = rng.normal(0, 1.5, 3000)
    labels = (rng.random(3000) < expit(true)).astype(int)
    return 3 * true, labels, ["A"] * 1000 + ["B"] * 1000 + ["C"] * 1000


def test_platt_scaling_recovers_a_known_distortion(overconfident: tuple[np.ndarray, np.ndarray, list[str]]) -> None:
    logits, labels, patients = overconfident
    calibration = calibrate({"genes": logits}, labels, patients)
    assert calibration.slopes["genes"] == pytest.approx(1 / 3, abs=0.03)
    assert calibration.intercept == pytest.approx(0, abs=0.1)


def test_calibrated_probabilities_are_nearer_to_frequencies(
    overconfident: tuple[np.ndarray, np.ndarray, list[str]],
) -> None:
    logits, labels, patients = overconfident
    before = expected_calibration_error(expit(logits), labels)
    seen = {"genes": logits}
    after = expected_calibration_error(calibrate(seen, labels, patients).probabilities(seen), labels)
    assert after < 0.03 < before


def test_logits_that_held_out_patients_contradict_are_left_alone() -> None:
    labels = np.array([0, 0, 1, 1])
    logits = {"image+genes": np.array([2.0, 1.0, -1.0, -2.0])}
    assert calibrate(logits, labels, ["A", "A", "B", "B"]) == Calibration.none(
        "image+genes", "the logits contradict the labels of held-out patients"
    )


def test_the_threshold_is_the_one_of_highest_accuracy_nearest_one_half() -> None:
    labels = np.array([0, 0, 0, 1, 1])
    assert best_threshold(np.array([0.1, 0.2, 0.3, 0.62, 0.7]), labels, np.ones(5)) == 0.5
    assert 0.1 < best_threshold(np.array([0.01, 0.05, 0.1, 0.2, 0.4]), labels, np.ones(5)) <= 0.2


def test_a_weak_detector_does_not_call_everything_cancer() -> None:
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 2, 2000)
    probabilities = expit(rng.normal(0, 1, 2000) + 0.5 * (labels - 0.5))
    called = probabilities >= best_threshold(probabilities, labels, np.ones(2000))
    assert 0.25 < called.mean() < 0.75


def test_a_section_of_one_class_has_no_auc() -> None:
    figures = measure(np.array([0.2, 0.9]), np.array([0, 0]), threshold=0.5)
    assert figures.auc is None
    assert figures.ap is None
    assert figures.f1 is None


def test_the_prevalence_rule_calls_as_many_spots_as_are_cancer() -> None:
    figures = measure(np.array([0.01, 0.02, 0.03, 0.04]), np.array([0, 0, 1, 1]), threshold=0.5)
    assert figures.f1_prevalence == 1.0
    assert figures.f1 == 0.0
