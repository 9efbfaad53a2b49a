"""Intervals of a mean over patients."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacrd_core.metrics import bootstrap as intervals
from spacrd_core.metrics.bootstrap import how_rough, patient_interval

if TYPE_CHECKING:
    from collections.abc import Sequence

SIX = (0.93, 0.998, 0.68, 0.94, 0.83, 0.90)
values = st.lists(st.floats(0, 1).map(lambda x: round(x, 3)), min_size=2, max_size=5)


def by_hand(patients: Sequence[float]) -> tuple[float, float]:
    """The 2.5th and 97.5th percentile over all n^n resamples, one by one."""
    means = sorted(float(np.mean(np.sort(draw))) for draw in itertools.product(patients, repeat=len(patients)))
    count = len(means)
    return means[int(np.ceil(0.025 * count)) - 1], means[int(np.ceil(0.975 * count)) - 1]


@given(values)
def test_few_patients_give_the_percentiles_of_every_resample(patients: list[float]) -> None:
    assert patient_interval(patients) == pytest.approx(by_hand(patients))


def test_two_patients_give_an_interval_from_one_to_the_other() -> None:
    assert patient_interval([0.9, 0.7]) == (0.7, 0.9)


@pytest.mark.parametrize("patients", [[], [0.9]])
def test_fewer_than_two_patients_give_no_interval(patients: list[float]) -> None:
    assert patient_interval(patients) is None


def test_drawn_resamples_come_near_what_counting_all_of_them_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    counted = patient_interval(SIX)
    monkeypatch.setattr(intervals, "ENUMERATED", 1)
    drawn = patient_interval(SIX)
    assert counted is not None
    assert drawn == pytest.approx(counted, abs=0.006)
    assert drawn != counted, "these were drawn"
    assert patient_interval(SIX) == drawn, "by a fixed seed"


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
        (6, "95 % intervals by resampling patients; with 6 of them they are rough, and rather too narrow"),
        (20, "95 % intervals by resampling patients (20)"),
    ],
)
def test_words_say_what_the_interval_of_few_patients_is_worth(patients: int, words: str) -> None:
    assert how_rough(patients) == words
