"""Figures of many trainings, and what they come to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from pydantic import BaseModel, ConfigDict

from spacrd_core.cohort.modalities import VIEWS
from spacrd_core.metrics.bootstrap import patient_interval

if TYPE_CHECKING:
    from collections.abc import Sequence

FIGURES = ("auc", "ap", "f1_prevalence", "f1", "brier", "ece")


class Row(BaseModel):
    """The figures of one section under one head, one choice of modalities and one seed.

    ``shares`` say how much each view counts in a call; ``auc_unweighed`` is that of the widest view alone.
    """

    model_config = ConfigDict(frozen=True)

    head: str
    encoder: str
    modalities: str
    seed: int
    section: str
    patient: str
    platform: str
    spots: int = 0
    positives: int = 0
    auc: float | None = None
    ap: float | None = None
    f1_prevalence: float | None = None
    f1: float | None = None
    threshold: float | None = None
    calibration: str = "none"
    shares: dict[str, float] = {}
    auc_unweighed: float | None = None
    brier: float | None = None
    ece: float | None = None
    note: str = ""


def summarise(rows: Sequence[Row]) -> list[dict[str, object]]:
    """Return, for every head and choice of modalities of one evaluation, means over patients and their spread.

    A patient's figure is the mean over its sections and seeds; ``_sd`` is the standard deviation between patients,
    ``_seed_sd`` that between seeds of the mean over patients. ``auc_low`` and ``auc_high`` bound the mean's interval.
    """
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        groups.setdefault((row.head, row.modalities), []).append(row)
    return [_summary(group) for group in groups.values()]


def patient_means(rows: Sequence[Row], figure: str) -> dict[str, float]:
    """Return every patient's mean over its sections and seeds; none for a patient without the figure."""
    values: dict[str, list[float]] = {}
    for row in rows:
        value = getattr(row, figure)
        if value is not None:
            values.setdefault(row.patient, []).append(value)
    return {patient: float(np.mean(found)) for patient, found in values.items()}


def _summary(rows: Sequence[Row]) -> dict[str, object]:
    seeds = sorted({row.seed for row in rows})
    encoder = next((row.encoder for row in rows if row.encoder != "none"), "none")  # a section may have no image
    summary: dict[str, object] = {"head": rows[0].head, "encoder": encoder, "modalities": rows[0].modalities}
    summary |= {"patients": len({row.patient for row in rows}), "seeds": len(seeds)}
    summary |= {"shares": _mean_shares(rows), "auc_unweighed_mean": _over_patients(rows, "auc_unweighed")}
    for figure in FIGURES:
        by_patient = patient_means(rows, figure)
        by_seed = {seed: _over_patients([row for row in rows if row.seed == seed], figure) for seed in seeds}
        summary[f"{figure}_mean"] = _over_patients(rows, figure)
        summary[f"{figure}_sd"] = _spread(list(by_patient.values()))
        summary[f"{figure}_seed_sd"] = _spread([value for value in by_seed.values() if value is not None])
        if figure == "auc":
            summary |= _interval(by_patient) | {"auc_by_patient": by_patient, "auc_by_seed": by_seed}
    return summary


def _mean_shares(rows: Sequence[Row]) -> dict[str, float]:
    """How much each view counts, patients counting the same."""
    means: dict[str, list[float]] = {}
    for patient in dict.fromkeys(row.patient for row in rows if row.shares):
        own = [row.shares for row in rows if row.patient == patient and row.shares]
        for view in VIEWS:
            means.setdefault(view, []).append(float(np.mean([shares.get(view, 0.0) for shares in own])))
    return {view: float(np.mean(values)) for view, values in means.items() if any(values)}


def _interval(by_patient: dict[str, float]) -> dict[str, object]:
    low, high = patient_interval(list(by_patient.values())) or (None, None)
    return {"auc_low": low, "auc_high": high}


def _over_patients(rows: Sequence[Row], figure: str) -> float | None:
    values = list(patient_means(rows, figure).values())
    return float(np.mean(values)) if values else None


def _spread(values: Sequence[float]) -> float | None:
    return float(np.std(values, ddof=1)) if len(values) > 1 else None
