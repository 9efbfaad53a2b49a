"""Intervals of a mean over patients."""

import itertools
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacrd_core.metrics.bootstrap import interval_note, patient_interval

SIX = (0.93, 0.998, 0.68, 0.94, 0.83, 0.90)
values = st.lists(st.floats(0, 1).map(lambda x: round(x, 3)), min_size=2, max_size=5)


def exact(patients: Sequence[float], *levels: float) -> list[float]:
    """The percentiles of the mean over all n^n resamples, one by one."""
    means = sorted(float(np.mean(np.sort(draw))) for draw in itertools.product(patients, repeat=len(patients)))
    return [means[int(np.ceil(level * len(means))) - 1] for level in levels]


@pytest.mark.parametrize("patients", [SIX, (0.967, 0.987, 0.951), (0.9, 0.7)], ids=["six", "three", "two"])
def test_the_interval_is_the_percentiles_of_all_resamples(patients: tuple[float, ...]) -> None:
    assert patient_interval(patients) == pytest.approx(exact(patients, 0.025, 0.975), abs=1e-4)


@given(values)
def test_each_end_lies_between_neighbouring_percentiles_of_all_resamples(patients: list[float]) -> None:
    low, high = patient_interval(patients) or (np.nan, np.nan)
    outer_low, inner_low, inner_high, outer_high = exact(patients, 0.018, 0.032, 0.968, 0.982)
    assert outer_low - 1e-9 <= low <= inner_low + 1e-9
    assert inner_high - 1e-9 <= high <= outer_high + 1e-9


def test_two_patients_give_an_interval_from_one_to_the_other() -> None:
    assert patient_interval([0.9, 0.7]) == (0.7, 0.9)


@pytest.mark.parametrize("patients", [[], [0.9]])
def test_fewer_than_two_patients_give_no_interval(patients: list[float]) -> None:
    assert patient_interval(patients) is None


def test_the_interval_is_reproducible() -> None:
    assert patient_interval(SIX) == patient_interval(SIX)


@given(st.lists(st.floats(0, 1), min_size=2, max_size=10), st.randoms())
def test_the_order_of_patients_changes_nothing(patients: list[float], random: object) -> None:
    shuffled = sorted(patients, key=lambda _: random.random())  # type: ignore[attr-defined]
    assert patient_interval(shuffled) == patient_interval(patients)


def test_the_interval_holds_the_mean_and_narrows_with_patients_who_are_alike() -> None:
    low, high = patient_interval(SIX) or (1.0, 0.0)
    assert low < np.mean(SIX) < high
    more_low, more_high = patient_interval(SIX * 4) or (0.0, 1.0)
    assert more_high - more_low < 0.6 * (high - low)


@pytest.mark.parametrize(
    ("patients", "words"),
    [
        (1, "95 % intervals by resampling patients need at least two patients"),
        (6, "95 % intervals by resampling patients; with 6 patients they are approximate and rather too narrow"),
        (20, "95 % intervals by resampling patients (20)"),
    ],
)
def test_words_say_what_the_interval_of_few_patients_is_worth(patients: int, words: str) -> None:
    assert interval_note(patients) == words
