"""Metrics of many trainings, summarised over patients."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import BaseModel, ConfigDict

from spacrd_core.cohort.modalities import MODALITIES
from spacrd_core.metrics.bootstrap import patient_interval

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

METRICS = ("auc", "ap", "f1_prevalence", "f1", "brier", "ece")


class Row(BaseModel):
    """Metrics of one section with one head, one set of modalities and one seed.

    ``weights`` are the weights of the modalities in a call; ``auc_unweighted`` is the AUC of the widest set alone.
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
    weights: dict[str, float] = {}
    auc_unweighted: float | None = None
    brier: float | None = None
    ece: float | None = None
    note: str = ""


class Summary(list[dict[str, Any]]):
    """The lines of a summary, one per head and set of modalities."""

    @property
    def table(self) -> pd.DataFrame:
        """The summary as a table, without the columns by patient, by seed and by modality."""
        import pandas as pd  # noqa: PLC0415 - only notebooks need it

        return pd.DataFrame(
            [{key: value for key, value in line.items() if not isinstance(value, dict)} for line in self]
        )

    def _repr_html_(self) -> str:
        return str(self.table.to_html(index=False, border=0, float_format="{:.3f}".format, na_rep=""))


def summarise(rows: Sequence[Row]) -> list[dict[str, object]]:
    """Return means over patients and their spread, for every head and set of modalities of one evaluation.

    A patient's value is the mean over its sections and seeds. ``_sd`` is the standard deviation between patients, and
    ``_seed_sd`` that of the mean over patients between seeds. ``auc_low`` and ``auc_high`` bound the mean's interval.
    """
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        groups.setdefault((row.head, row.modalities), []).append(row)
    return [_summary(group) for group in groups.values()]


def patient_means(rows: Sequence[Row], metric: str) -> dict[str, float]:
    """Return every patient's mean over its sections and seeds, without patients for which the metric is undefined."""
    values: dict[str, list[float]] = {}
    for row in rows:
        value = getattr(row, metric)
        if value is not None:
            values.setdefault(row.patient, []).append(value)
    return {patient: float(np.mean(of_patient)) for patient, of_patient in values.items()}


def _summary(rows: Sequence[Row]) -> dict[str, object]:
    seeds = sorted({row.seed for row in rows})
    encoder = next((row.encoder for row in rows if row.encoder != "none"), "none")  # a section may have no image
    summary: dict[str, object] = {"head": rows[0].head, "encoder": encoder, "modalities": rows[0].modalities}
    summary |= {"patients": len({row.patient for row in rows}), "seeds": len(seeds)}
    summary |= {"weights": _mean_weights(rows), "auc_unweighted_mean": _mean_over_patients(rows, "auc_unweighted")}
    for metric in METRICS:
        by_patient = patient_means(rows, metric)
        by_seed = {seed: _mean_over_patients([row for row in rows if row.seed == seed], metric) for seed in seeds}
        summary[f"{metric}_mean"] = _mean_over_patients(rows, metric)
        summary[f"{metric}_sd"] = _standard_deviation(list(by_patient.values()))
        summary[f"{metric}_seed_sd"] = _standard_deviation([value for value in by_seed.values() if value is not None])
        if metric == "auc":
            summary |= _interval(by_patient) | {"auc_by_patient": by_patient, "auc_by_seed": by_seed}
    return summary


def _mean_weights(rows: Sequence[Row]) -> dict[str, float]:
    """The mean weight of each set of modalities, with patients weighted equally."""
    means: dict[str, list[float]] = {}
    for patient in dict.fromkeys(row.patient for row in rows if row.weights):
        weights = [row.weights for row in rows if row.patient == patient and row.weights]
        for modalities in MODALITIES:
            means.setdefault(modalities, []).append(float(np.mean([each.get(modalities, 0.0) for each in weights])))
    return {modalities: float(np.mean(values)) for modalities, values in means.items() if any(values)}


def _interval(by_patient: dict[str, float]) -> dict[str, object]:
    low, high = patient_interval(list(by_patient.values())) or (None, None)
    return {"auc_low": low, "auc_high": high}


def _mean_over_patients(rows: Sequence[Row], metric: str) -> float | None:
    values = list(patient_means(rows, metric).values())
    return float(np.mean(values)) if values else None


def _standard_deviation(values: Sequence[float]) -> float | None:
    return float(np.std(values, ddof=1)) if len(values) > 1 else None
