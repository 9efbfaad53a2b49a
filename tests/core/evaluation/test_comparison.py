"""Paired differences, patient by patient."""

import pytest

from spacrd_core.evaluation.comparison import compare_with_baseline, compare_with_single_modalities
from spacrd_core.evaluation.summary import Row
from spacrd_core.metrics.bootstrap import patient_interval


def rows(head: str, modalities: str, **by_patient: float | None) -> list[Row]:
    facts = {"head": head, "encoder": "none", "modalities": modalities, "platform": "st", "seed": 1}
    return [Row(**facts, section=patient, patient=patient, auc=auc) for patient, auc in by_patient.items()]


LINEAR = rows("linear", "genes", A=0.9, B=0.8, C=0.7)


def test_a_head_is_compared_with_the_baseline_on_every_patient() -> None:
    deep = rows("deep", "genes", A=0.95, B=0.75, C=0.7)
    (found,) = compare_with_baseline([*deep, *LINEAR], "linear")
    assert (found.head, found.against_head, found.modalities, found.against_modalities) == (
        "deep",
        "linear",
        "genes",
        "genes",
    )
    assert found.by_patient == pytest.approx({"A": 0.05, "B": -0.05, "C": 0.0})
    assert found.auc_difference == pytest.approx(0.0)
    assert (found.patients, found.better, found.worse) == (3, 1, 1)
    assert found.lowest == pytest.approx(-0.05)
    assert (found.auc_low, found.auc_high) == patient_interval(list(found.by_patient.values()))


def test_pairing_takes_the_patients_own_difficulty_out_of_the_interval() -> None:
    deep = rows("deep", "genes", A=0.92, B=0.82, C=0.72)
    (found,) = compare_with_baseline([*deep, *LINEAR], "linear")
    assert (found.auc_low, found.auc_high) == pytest.approx((0.02, 0.02))


def test_only_the_same_modalities_are_compared() -> None:
    assert compare_with_baseline([*rows("deep", "image", A=0.9), *LINEAR], "linear") == []


def test_patients_without_an_auc_are_left_out_of_the_pairs() -> None:
    deep = rows("deep", "genes", A=0.95, B=None, C=0.6, D=0.9)
    (found,) = compare_with_baseline([*deep, *LINEAR], "linear")
    assert list(found.by_patient) == ["A", "C"]


def test_fusion_is_compared_with_the_modality_that_is_better_on_that_patient() -> None:
    fused = rows("deep", "image+genes", A=0.95, B=0.9)
    halves = [*rows("deep", "image", A=0.9, B=0.5), *rows("deep", "genes", A=0.4, B=0.96)]
    (found,) = compare_with_single_modalities([*fused, *halves, *LINEAR])
    assert found.against_modalities == "better of image and genes"
    assert found.by_patient == pytest.approx({"A": 0.05, "B": -0.06})
    assert (found.better, found.worse) == (1, 1)
    assert found.lowest == pytest.approx(-0.06)


def test_a_head_read_with_one_modality_has_no_halves() -> None:
    assert compare_with_single_modalities(LINEAR) == []
