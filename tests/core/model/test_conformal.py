"""Sets hold the true class for the requested share of a new patient's spots, if patients are exchangeable."""

import numpy as np
import pytest
from scipy.special import expit

from spacrd_core.arrays import Array
from spacrd_core.model.conformal import conformal_sets, nonconformity_limit, nonconformity_profiles

Patient = tuple[Array, Array]


def patient(rng: np.random.Generator, *, shift: float = 0.0, spots: int = 200) -> Patient:
    """Calibrated probabilities and labels; patients differ by how far their logits are shifted."""
    labels = (rng.random(spots) < rng.uniform(0.2, 0.8)).astype(int)
    logits = rng.normal(3.0 * (labels - 0.5), 1.2) + rng.normal(0, 0.5) + shift
    return expit(logits), labels


def limit_of(patients: list[Patient], alpha: float) -> float | None:
    names = [str(number) for number, (_, labels) in enumerate(patients) for _ in labels]
    probabilities, labels = (np.concatenate(parts) for parts in zip(*patients, strict=True))
    return nonconformity_limit(nonconformity_profiles(probabilities, labels, names), alpha)


def coverage(target: Patient, calibrated_on: list[Patient], alpha: float) -> float:
    probabilities, labels = target
    sets = conformal_sets(probabilities, limit_of(calibrated_on, alpha))
    return float((np.isin(sets, ["both"]) | (sets == np.where(labels == 1, "cancer", "normal"))).mean())


@pytest.mark.parametrize("alpha", [0.1, 0.3])
@pytest.mark.parametrize("patients", [4, 20])
def test_patients_like_those_held_out_are_covered(alpha: float, patients: int) -> None:
    rng = np.random.default_rng(0)
    found = [coverage(patient(rng), [patient(rng) for _ in range(patients)], alpha) >= 1 - alpha for _ in range(80)]
    # Of a new patient, the share 1 - alpha of the spots is covered with this probability.
    promised = min(1 - alpha, patients / (patients + 1))
    assert np.mean(found) > promised - 0.06


def test_coverage_is_of_patients_with_few_spots_as_of_those_with_many() -> None:
    rng = np.random.default_rng(1)
    many = [patient(rng, spots=5000)] + [patient(rng, spots=60) for _ in range(8)]
    outlier = patient(rng, shift=4.0, spots=40)
    assert limit_of([*many, outlier], 0.3) == pytest.approx(limit_of(many, 0.3), abs=0.1)


def test_one_outlying_patient_among_many_does_not_widen_the_sets() -> None:
    rng = np.random.default_rng(2)
    usual = [patient(rng) for _ in range(12)]
    shifted = patient(rng, shift=6.0)
    before, after = limit_of(usual, 0.2), limit_of([*usual, shifted], 0.2)
    assert before is not None
    assert after is not None
    assert before <= after < 0.9
    assert limit_of([shifted, *usual[:2]], 0.2) > 0.95  # type: ignore[operator]


def test_a_shifted_target_is_not_promised_coverage_and_hurts_nobody_else() -> None:
    rng = np.random.default_rng(3)
    usual = [patient(rng) for _ in range(12)]
    assert coverage(patient(rng, shift=6.0), usual, 0.1) < 0.85
    assert coverage(patient(rng), usual, 0.1) > 0.85


def test_sets_hold_the_classes_within_the_nonconformity_limit() -> None:
    scores = np.array([0.05, 0.35, 0.5, 0.65, 0.95])
    assert conformal_sets(scores, 0.6).tolist() == ["normal", "normal", "both", "cancer", "cancer"]
    assert conformal_sets(scores, 0.3).tolist() == ["normal", "none", "none", "none", "cancer"]
    assert conformal_sets(scores, 1.0).tolist() == ["both"] * 5


def test_sets_shrink_as_alpha_grows() -> None:
    rng = np.random.default_rng(4)
    held_out = [patient(rng) for _ in range(6)]
    limits = [limit_of(held_out, alpha) for alpha in (0.01, 0.1, 0.2, 0.5)]
    assert limits == sorted(limits, reverse=True)  # type: ignore[type-var]


def test_one_held_out_patient_gives_no_sets() -> None:
    assert limit_of([patient(np.random.default_rng(0))], 0.1) is None
    assert conformal_sets(np.array([0.1, 0.9]), None).tolist() == [None, None]
    assert nonconformity_limit((), 0.1) is None


def test_profiles_are_quantiles_of_each_patient_whatever_the_order_of_spots() -> None:
    probabilities, labels = np.array([0.9, 0.2, 0.6, 0.4]), np.array([1, 0, 1, 1])
    profiles = nonconformity_profiles(probabilities, labels, ["B", "A", "B", "B"])
    assert np.array(profiles)[:, [0, 50, 100]] == pytest.approx(np.array([[0.2, 0.2, 0.2], [0.1, 0.4, 0.6]]), abs=1e-6)
    assert (np.array(profiles)[:, 100] >= [0.2, 0.6]).all()
    turned = nonconformity_profiles(probabilities[::-1], labels[::-1], ["B", "B", "A", "B"])
    assert turned == profiles
