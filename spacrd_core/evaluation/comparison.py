"""Heads against a control and fusion against its halves, patient by patient."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np
from pydantic import BaseModel, ConfigDict

from spacrd_core.evaluation.summary import patient_means
from spacrd_core.metrics.bootstrap import patient_interval

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from spacrd_core.evaluation.summary import Row

EQUAL = 1e-9


class Difference(BaseModel):
    """The AUC of one way to detect less that of another, on the same patients.

    ``better`` and ``worse`` count patients; ``lowest`` is the difference on the patient where it is lowest.
    """

    model_config = ConfigDict(frozen=True)

    head: str
    modalities: str
    against_head: str
    against_modalities: str
    patients: int
    auc_difference: float
    auc_low: float | None
    auc_high: float | None
    better: int
    worse: int
    lowest: float
    by_patient: dict[str, float]


def against_control(rows: Sequence[Row], control: str) -> list[Difference]:
    """Return every other head less the control that reads the same modalities."""
    groups = _patient_means(rows)
    found = [
        _difference((head, modalities), values, (control, modalities), groups.get((control, modalities), {}))
        for (head, modalities), values in groups.items()
        if head != control
    ]
    return [difference for difference in found if difference]


def against_single_modalities(rows: Sequence[Row]) -> list[Difference]:
    """Return every head with all modalities less the same head with the one that is better on that patient.

    Which one is better is known by the patient's labels, so this asks more of fusion than any choice made beforehand.
    """
    groups = _patient_means(rows)
    found = []
    for (head, modalities), values in groups.items():
        parts = [part for part in modalities.split("+") if (head, part) in groups]
        if len(parts) > 1:
            best = _best([groups[head, part] for part in parts])
            found.append(_difference((head, modalities), values, (head, f"better of {' and '.join(parts)}"), best))
    return [difference for difference in found if difference]


def _patient_means(rows: Sequence[Row]) -> dict[tuple[str, str], dict[str, float]]:
    groups: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in rows:
        groups[row.head, row.modalities].append(row)
    return {key: patient_means(group, "auc") for key, group in groups.items()}


def _best(parts: Sequence[Mapping[str, float]]) -> dict[str, float]:
    patients = dict.fromkeys(patient for part in parts for patient in part)
    return {patient: max(part[patient] for part in parts if patient in part) for patient in patients}


def _difference(
    this: tuple[str, str], values: Mapping[str, float], other: tuple[str, str], against: Mapping[str, float]
) -> Difference | None:
    """The difference on the patients both have; None where there is none."""
    by_patient = {patient: value - against[patient] for patient, value in values.items() if patient in against}
    if not by_patient:
        return None
    amounts = np.array(list(by_patient.values()))
    low, high = patient_interval(amounts.tolist()) or (None, None)
    return Difference(
        head=this[0],
        modalities=this[1],
        against_head=other[0],
        against_modalities=other[1],
        patients=len(amounts),
        auc_difference=float(amounts.mean()),
        auc_low=low,
        auc_high=high,
        better=int((amounts > EQUAL).sum()),
        worse=int((amounts < -EQUAL).sum()),
        lowest=float(amounts.min()),
        by_patient=by_patient,
    )
