"""Calibrated probabilities follow how much of a section is tumour, and say less where that is not known."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit, logit

from spacrd_core.arrays import Array
from spacrd_core.cohort.evidence import TumourAmount
from spacrd_core.model.label_shift import AmountShift, FittedAmount
from spacrd_core.model.platt import Calibration, HeldOutScores, calibrate, calibrate_combination
from spacrd_core.model.prior_calibration import prior_calibration

SHIFT = AmountShift(expression=1.5, correlation=-2.0, mean=0.3, spread=1.2)
AMOUNT = TumourAmount(0.8, 0.0, -0.4)
SCORES = np.linspace(-3, 3, 13)


@pytest.fixture
def calibration() -> Calibration:
    return Calibration(method="platt", weights={"genes": 1.0}, slopes={"genes": 2.0}, intercept=-0.5, amount=SHIFT)


def standard(seed: int) -> Array:
    values = np.random.default_rng(seed).normal(size=100)
    return (values - values.mean()) / values.std()


def test_probabilities_are_shifted_by_the_amount(calibration: Calibration) -> None:
    found = calibration.probabilities({"genes": SCORES}, AMOUNT)
    np.testing.assert_allclose(found, expit(2 * SCORES - 0.5 + 1.5 * 0.8 + 2.0 * 0.4))


def test_an_error_of_the_amount_draws_probabilities_to_one_half(calibration: Calibration) -> None:
    exact, vague = (
        calibration.probabilities({"genes": SCORES}, replace(AMOUNT, expression_error=error)) for error in (0.0, 1.0)
    )
    np.testing.assert_allclose(logit(vague) * np.sqrt(1 + np.pi / 8 * 1.5**2), logit(exact))
    assert (np.abs(vague - 0.5) < np.abs(exact - 0.5)).all()


def test_an_unknown_amount_gives_the_mean_shift_and_draws_probabilities_to_one_half(calibration: Calibration) -> None:
    known = calibration.model_copy(update={"amount": SHIFT.model_copy(update={"spread": 0.0})})
    mean = known.probabilities({"genes": SCORES}, TumourAmount())
    np.testing.assert_allclose(mean, expit(2 * SCORES - 0.5 + 0.3))
    for unknown in (TumourAmount(), None):
        found = calibration.probabilities({"genes": SCORES}, unknown)
        assert (np.abs(found - 0.5) < np.abs(mean - 0.5)).all()
        np.testing.assert_array_equal(found > 0.5, mean > 0.5)


def test_without_a_shift_the_amount_is_not_looked_at(calibration: Calibration) -> None:
    plain = calibration.model_copy(update={"amount": None})
    np.testing.assert_allclose(plain.probabilities({"genes": SCORES}, AMOUNT), expit(2 * SCORES - 0.5))


@pytest.mark.parametrize(("scale", "offset"), [(1.0, 4.0), (7.0, 0.0), (0.01, -3.0)])
def test_the_calibration_of_the_prior_reads_scores_whatever_their_scale_and_offset(scale: float, offset: float) -> None:
    calibration, parts = prior_calibration("image+genes"), {"image": standard(0), "genes": standard(1)}
    changed = {name: scale * values + offset for name, values in parts.items()}
    np.testing.assert_allclose(
        calibration.probabilities(changed, AMOUNT), calibration.probabilities(parts, AMOUNT), atol=1e-9
    )


def test_the_calibration_of_the_prior_is_a_line_in_standard_deviations() -> None:
    calibration, scores = prior_calibration("genes"), standard(0)
    assert calibration.amount is not None
    wanted = calibration.slopes["genes"] * scores + calibration.intercept + calibration.amount.shift(AMOUNT)
    np.testing.assert_allclose(calibration.probabilities({"genes": scores}, AMOUNT), expit(wanted))
    assert calibration.threshold == 0.58


def test_members_of_an_ensemble_keep_their_distance() -> None:
    calibration, scores = prior_calibration("genes"), np.stack([standard(0), standard(0) + 0.5])
    odds = calibration.odds({"genes": scores})
    np.testing.assert_allclose(odds[1] - odds[0], 0.5 * calibration.slopes["genes"])


@pytest.mark.parametrize("method", ["platt", "prior"])
def test_the_gain_is_what_one_unit_of_the_score_adds_to_the_log_odds(method: str) -> None:
    calibration = prior_calibration("genes").model_copy(update={"method": method})
    scores = 3 * standard(0)
    odds = calibration.odds({"genes": scores})
    assert calibration.gain({"genes": scores}) == pytest.approx(np.polyfit(scores, odds, 1)[0])


def held_out(patient: str, seed: int, *, sign: float = 1.0) -> HeldOutScores:
    """A section of which only the facts tell its share of tumour: scores are standardised."""
    rng = np.random.default_rng(seed)
    labels = (np.arange(400) < 400 * (0.2 + 0.2 * seed)).astype(int)
    scores = sign * (2.0 * labels + rng.normal(0, 1, 400))
    return HeldOutScores(
        {"image": 0.7 * (scores - scores.mean()), "genes": 0.3 * (scores - scores.mean())},
        labels,
        patient,
        TumourAmount(labels.mean(), 0.0, 0.0),
    )


def test_the_sum_of_the_parts_is_calibrated_with_the_shift() -> None:
    sections = [held_out(patient, seed) for seed, patient in enumerate("ABCD")]
    fitted = FittedAmount(AmountShift(expression=2.0, correlation=0.0), -1.0)
    found = calibrate_combination(sections, fitted)
    assert found is not None
    assert found.slopes["image"] == found.slopes["genes"] > 0
    assert found.amount == fitted.shift.scaled(found.slopes["image"])
    for section in sections:
        called = found.probabilities(section.parts, section.amount) >= found.threshold
        assert (called == (section.labels == 1)).mean() > 0.8
    assert len(found.nonconformity) == 4
    shifted = np.concatenate([section.score + 2.0 * section.amount.expression - 1.0 for section in sections])
    labels, patients = np.concatenate([section.labels for section in sections]), np.repeat([*"ABCD"], 400)
    plain = calibrate({"genes": shifted}, labels, patients.tolist())
    assert found.slopes["genes"] == pytest.approx(plain.slopes["genes"], rel=0.01)
    assert found.intercept == pytest.approx(plain.intercept - plain.slopes["genes"], rel=0.01)


def test_scores_that_contradict_the_labels_are_not_calibrated() -> None:
    assert calibrate_combination([held_out(patient, seed, sign=-1) for seed, patient in enumerate("AB")], None) is None
