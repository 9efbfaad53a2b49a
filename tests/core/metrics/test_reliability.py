"""Bins of held-out probabilities by platform, against counts by hand."""

import numpy as np
import pytest

from spacrd_core.metrics.reliability import HeldOutSection, Reliability, reliability_by_platform


def held_out(patient: str, probabilities: list[float], labels: list[int], platform: str = "st") -> HeldOutSection:
    return HeldOutSection(platform, patient, np.array(probabilities), np.array(labels))


def measured(*sections: HeldOutSection) -> dict[str, Reliability]:
    return reliability_by_platform(sections)


def test_a_bin_has_its_spots_their_mean_probability_and_their_share_of_cancer() -> None:
    found = measured(held_out("A", [0.02, 0.06, 0.95, 0.97], [0, 1, 1, 1]))["st"]
    assert found.spots == [2, 0, 0, 0, 0, 0, 0, 0, 0, 2]
    assert (found.probability[0], found.probability[9]) == pytest.approx((0.04, 0.96))
    assert (found.cancer[0], found.cancer[9]) == (0.5, 1.0)


def test_a_bin_without_spots_has_no_means() -> None:
    found = measured(held_out("A", [0.02, 0.95], [0, 1]))["st"]
    assert found.probability[1:9] == found.cancer[1:9] == [None] * 8


def test_the_error_is_the_mean_over_patients_whose_sections_count_together() -> None:
    right, wrong = [0.75] * 4, [0.75] * 2
    found = measured(held_out("A", right, [1, 1, 1, 0]), held_out("A", wrong, [0, 0]), held_out("B", wrong, [1, 1]))[
        "st"
    ]
    assert found.patients == 2
    assert found.ece == pytest.approx(((0.0 + 0.75) / 2 + 0.25) / 2)


def test_platforms_are_told_apart_by_name_in_order_also_within_a_patient() -> None:
    found = measured(held_out("A", [0.95], [1], "visium"), held_out("A", [0.05, 0.15], [0, 0]))
    assert list(found) == ["st", "visium"]
    assert [sum(figures.spots) for figures in found.values()] == [2, 1]
    assert [figures.ece for figures in found.values()] == [pytest.approx(0.1), pytest.approx(0.05)]


def test_without_held_out_patients_there_is_nothing() -> None:
    assert measured() == {}
