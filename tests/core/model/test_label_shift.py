"""How much of a section is tumour shifts its log odds; how much is fitted on mixtures of held-out patients."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit

from spacrd_core.arrays import Array
from spacrd_core.cohort.evidence import TumourAmount
from spacrd_core.model.label_shift import AmountShift, FittedAmount, Mixture, fit_amount

SLOPE, EXPRESSION, CORRELATION, OFFSET = (
    1.8,
    2.0,
    -1.5,
    0.7,
)  # of the planted log odds; the last three per unit of score
SPOTS, PARTS = 300, 40


def planted(patient: str, seed: int) -> list[Mixture]:
    """Parts of a section of which facts and scores give the log odds of tumour."""
    rng = np.random.default_rng(seed)
    return [_planted_part(patient, rng) for _ in range(PARTS)]


def _planted_part(patient: str, rng: np.random.Generator) -> Mixture:
    amount = TumourAmount(rng.normal(0.5, 1), 0.0, rng.normal(-0.2, 0.8))
    scores = rng.normal(0, 1, SPOTS)
    odds = SLOPE * (scores + EXPRESSION * amount.expression + CORRELATION * amount.correlation + OFFSET)
    return Mixture(patient, scores, (rng.random(SPOTS) < expit(odds)).astype(int), amount)


@pytest.fixture(scope="module")
def mixtures() -> list[Mixture]:
    return [mixture for seed, patient in enumerate("ABCD") for mixture in planted(patient, seed)]


@pytest.fixture(scope="module")
def fitted(mixtures: list[Mixture]) -> FittedAmount:
    found = fit_amount(mixtures, [mixtures[0].amount, mixtures[1].amount, TumourAmount()])
    assert found is not None
    return found


def of(mixtures: Sequence[Mixture], patients: str) -> list[Mixture]:
    return [mixture for mixture in mixtures if mixture.patient in patients]


def opposed(amount: TumourAmount) -> TumourAmount:
    return TumourAmount(-amount.expression, 0.0, -amount.correlation)


def test_planted_weights_are_recovered_in_units_of_the_score(fitted: FittedAmount) -> None:
    assert fitted.shift.expression == pytest.approx(EXPRESSION, rel=0.15)
    assert fitted.shift.correlation == pytest.approx(CORRELATION, rel=0.15)


def test_sections_of_one_tissue_are_called_as_that_only_with_the_shift(fitted: FittedAmount) -> None:
    """Scores are standardised in the section: their mean is 0 whatever it contains."""
    scores: Array = np.random.default_rng(9).normal(0, 1, SPOTS)
    for amount, low, high in ((TumourAmount(3.0, 0.0, -1.5), 0.98, 1), (TumourAmount(-2.0, 0.0, 1.0), 0, 0.02)):
        called = (scores + fitted.shift.shift(amount) + fitted.offset > 0).mean()
        assert low <= called <= high
    assert 0.4 < (scores > 0).mean() < 0.6


def test_unknown_facts_give_the_mean_and_the_spread_of_the_sections(
    fitted: FittedAmount, mixtures: list[Mixture]
) -> None:
    shifts = [fitted.shift.shift(mixture.amount) for mixture in mixtures[:2]]
    unknown = TumourAmount()
    assert fitted.shift.shift(unknown) == pytest.approx(np.mean(shifts))
    assert fitted.shift.variance(unknown) == pytest.approx(np.var(shifts))


def test_two_patients_are_too_few_even_with_a_third_whose_amount_is_unknown(mixtures: list[Mixture]) -> None:
    unknown = [replace(mixture, amount=TumourAmount()) for mixture in of(mixtures, "C")]
    assert fit_amount(of(mixtures, "AB"), []) is None
    assert fit_amount([*of(mixtures, "AB"), *unknown], []) is None
    assert fit_amount(of(mixtures, "ABC"), []) is not None


def test_scores_that_contradict_the_labels_give_no_shift(mixtures: list[Mixture]) -> None:
    assert fit_amount([replace(mixture, scores=-mixture.scores) for mixture in mixtures], []) is None


def test_a_patient_with_many_parts_counts_no_more_than_the_others(mixtures: list[Mixture]) -> None:
    """Patient A differs: its facts say the opposite."""
    opposite = [replace(mixture, amount=opposed(mixture.amount)) for mixture in of(mixtures, "A")]
    others = of(mixtures, "BCD")
    once, often = fit_amount([*opposite, *others], []), fit_amount([*opposite * 5, *others], [])
    assert once is not None
    assert often is not None
    assert often.shift.expression == pytest.approx(once.shift.expression, rel=0.15)
    assert once.shift.expression < 0.8 * EXPRESSION


def test_the_shift_is_a_weighted_sum_of_the_facts_and_its_variance_comes_from_the_error() -> None:
    shift = AmountShift(expression=2.0, correlation=-3.0, mean=0.4, spread=0.9)
    amount = TumourAmount(0.5, 0.1, -0.2)
    assert shift.shift(amount) == pytest.approx(2.0 * 0.5 + 3.0 * 0.2)
    assert shift.variance(amount) == pytest.approx(0.2**2)
    assert (shift.shift(TumourAmount()), shift.variance(TumourAmount())) == pytest.approx((0.4, 0.81))
    assert shift.scaled(2.0) == AmountShift(expression=4.0, correlation=-6.0, mean=0.8, spread=1.8)
