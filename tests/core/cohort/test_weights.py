import numpy as np
import pytest

from spacrd_core.cohort.weights import balanced_weights

PATIENTS = ["A"] * 4 + ["B"] * 2 + ["C"] * 2
LABELS = np.array([1, 1, 1, 0, 1, 0, 1, 1])


def test_patients_count_the_same() -> None:
    weights = balanced_weights(PATIENTS, LABELS)
    totals = [weights[np.array(PATIENTS) == patient].sum() for patient in "ABC"]
    assert totals == pytest.approx([totals[0]] * 3)


def test_both_classes_of_a_patient_count_the_same() -> None:
    weights = balanced_weights(PATIENTS, LABELS)
    assert weights[:3].sum() == pytest.approx(weights[3])


def test_a_spot_counts_one_on_average() -> None:
    assert balanced_weights(PATIENTS, LABELS).mean() == pytest.approx(1)
