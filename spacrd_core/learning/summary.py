"""Figures of many trainings, and what they come to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    from collections.abc import Sequence

FIGURES = ("auc", "ap", "f1_prevalence", "f1", "brier", "ece")


class Row(BaseModel):
    """The figures of one section under one head, one choice of modalities and one seed."""

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
    brier: float | None = None
    ece: float | None = None
    note: str = ""


def summarise(rows: Sequence[Row]) -> list[dict[str, object]]:
    """Return, for every head and choice of modalities, means over patients and their spread.

    A patient's figure is the mean over its sections and seeds; ``_sd`` is the standard deviation between patients,
    ``_seed_sd`` that between seeds of the mean over patients.
    """
    keys = dict.fromkeys((row.head, row.encoder, row.modalities) for row in rows)
    return [_summary(key, [row for row in rows if (row.head, row.encoder, row.modalities) == key]) for key in keys]


def _summary(key: tuple[str, str, str], rows: Sequence[Row]) -> dict[str, object]:
    head, encoder, modalities = key
    seeds = sorted({row.seed for row in rows})
    summary: dict[str, object] = {"head": head, "encoder": encoder, "modalities": modalities}
    summary |= {"patients": len({row.patient for row in rows}), "seeds": len(seeds)}
    for figure in FIGURES:
        by_patient = list(_means(rows, figure, "patient").values())
        by_seed = [_over_patients([row for row in rows if row.seed == seed], figure) for seed in seeds]
        summary[f"{figure}_mean"] = _over_patients(rows, figure)
        summary[f"{figure}_sd"] = _spread(by_patient)
        summary[f"{figure}_seed_sd"] = _spread([value for value in by_seed if value is not None])
    return summary


def _over_patients(rows: Sequence[Row], figure: str) -> float | None:
    values = list(_means(rows, figure, "patient").values())
    return float(np.mean(values)) if values else None


def _spread(values: Sequence[float]) -> float | None:
    return float(np.std(values, ddof=1)) if len(values) > 1 else None


def _means(rows: Sequence[Row], figure: str, group: str) -> dict[str, float]:
    values: dict[str, list[float]] = {}
    for row in rows:
        value = getattr(row, figure)
        if value is not None:
            values.setdefault(getattr(row, group), []).append(value)
    return {name: float(np.mean(found)) for name, found in values.items()}
