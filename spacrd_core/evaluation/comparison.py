"""Comparisons of heads with the baseline, and of fusion with single modalities, patient by patient."""

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

TOLERANCE = 1e-9


class Difference(BaseModel):
    """The difference in AUC between two ways to detect, on the same patients.

    ``better`` and ``worse`` are numbers of patients; ``lowest`` is the smallest difference of any patient.
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


def compare_with_baseline(rows: Sequence[Row], baseline: str) -> list[Difference]:
    """Return the difference of every other head from the baseline with the same modalities."""
    aucs = _patient_aucs(rows)
    differences = [
        _difference((head, modalities), values, (baseline, modalities), aucs.get((baseline, modalities), {}))
        for (head, modalities), values in aucs.items()
        if head != baseline
    ]
    return [difference for difference in differences if difference]


def compare_with_single_modalities(rows: Sequence[Row]) -> list[Difference]:
    """Return the difference of every head with all modalities from the same head with the patient's better modality.

    The better modality is chosen by the patient's labels, so this is stricter than any choice made beforehand.
    """
    aucs = _patient_aucs(rows)
    differences = []
    for (head, modalities), values in aucs.items():
        single = [modality for modality in modalities.split("+") if (head, modality) in aucs]
        if len(single) > 1:
            best = _best_per_patient([aucs[head, modality] for modality in single])
            differences.append(
                _difference((head, modalities), values, (head, f"better of {' and '.join(single)}"), best)
            )
    return [difference for difference in differences if difference]


def _patient_aucs(rows: Sequence[Row]) -> dict[tuple[str, str], dict[str, float]]:
    groups: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in rows:
        groups[row.head, row.modalities].append(row)
    return {key: patient_means(group, "auc") for key, group in groups.items()}


def _best_per_patient(aucs: Sequence[Mapping[str, float]]) -> dict[str, float]:
    patients = dict.fromkeys(patient for by_patient in aucs for patient in by_patient)
    return {patient: max(by_patient[patient] for by_patient in aucs if patient in by_patient) for patient in patients}


def _difference(
    method: tuple[str, str], values: Mapping[str, float], reference: tuple[str, str], baseline: Mapping[str, float]
) -> Difference | None:
    """The difference on the patients that both have; None if there are none."""
    by_patient = {patient: value - baseline[patient] for patient, value in values.items() if patient in baseline}
    if not by_patient:
        return None
    amounts = np.array(list(by_patient.values()))
    low, high = patient_interval(amounts.tolist()) or (None, None)
    return Difference(
        head=method[0],
        modalities=method[1],
        against_head=reference[0],
        against_modalities=reference[1],
        patients=len(amounts),
        auc_difference=float(amounts.mean()),
        auc_low=low,
        auc_high=high,
        better=int((amounts > TOLERANCE).sum()),
        worse=int((amounts < -TOLERANCE).sum()),
        lowest=float(amounts.min()),
        by_patient=by_patient,
    )
