"""What few patients, and few labels of a patient, mean for a detector: said on its card and by ``train``."""

from types import SimpleNamespace
from typing import Any

import pytest

from spacrd_core.detector.few_patients import few_labels_note, few_patients_note


def trained(labelled: dict[str, int], held_out: list[str]) -> tuple[Any, dict[str, Any]]:
    """Return the configuration and the metrics of a detector, by patients and their numbers of labelled spots."""
    sections = [SimpleNamespace(id=f"section of {patient}", patient=patient) for patient in labelled]
    config = SimpleNamespace(trained_on=sections, calibrations={"genes": SimpleNamespace(method="platt")})
    labels = {f"section of {patient}": {"cancer": 5, "normal": count - 5} for patient, count in labelled.items()}
    return config, {"labels": labels, "held_out": {f"section of {patient}": {} for patient in held_out}}


@pytest.mark.parametrize(
    ("labelled", "beginning"),
    [
        ({"A": 300}, "one patient"),
        ({"A": 300, "B": 200}, "two patients"),
        ({"A": 300, "B": 200, "C": 10}, "two patients"),
        ({"A": 300, "B": 10}, "one patient"),
        ({"A": 20, "B": 10}, "two patients"),
        ({"A": 300, "B": 200, "C": 50}, ""),
    ],
)
def test_patients_with_labels_enough_are_counted(labelled: dict[str, int], beginning: str) -> None:
    note = few_patients_note(*trained(labelled, []))
    assert note.startswith(beginning)
    assert bool(note) == bool(beginning)


def test_detectors_of_earlier_versions_count_all_patients() -> None:
    config, _ = trained({"A": 10, "B": 10}, [])
    assert few_patients_note(config, {}).startswith("two patients")


def test_patients_who_were_not_held_out_for_lack_of_labels_are_named() -> None:
    note = few_labels_note(*trained({"A": 300, "B": 200, "C": 10}, ["A", "B"]))
    assert note == "patients with fewer than 50 labelled spots train the head and are not held out: C"
    assert few_labels_note(*trained({"A": 300, "B": 200}, ["A", "B"])) == ""
