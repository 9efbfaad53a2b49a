"""The performance of a detector on held-out patients: means over patients, with their intervals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spacrd_core.metrics.bootstrap import patient_interval

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spacrd_core.detector.config import DetectorConfig

METRIC_NAMES = {"auc": "AUC", "ap": "AP", "f1": "F1", "brier": "Brier", "ece": "ECE"}


@dataclass(frozen=True)
class HeldOutMetric:
    """The mean of a metric over held-out patients, and its bootstrap interval over patients."""

    metric: str
    mean: float
    patients: int
    interval: tuple[float, float] | None

    @property
    def name(self) -> str:
        """The name of the metric in text."""
        return METRIC_NAMES[self.metric]

    @property
    def text(self) -> str:
        """The mean with its interval."""
        interval = f" ({self.interval[0]:.3f} to {self.interval[1]:.3f})" if self.interval else ""
        return f"{self.mean:.3f}{interval}"


def held_out_metrics(config: DetectorConfig, metrics: Mapping[str, Any]) -> list[HeldOutMetric]:
    """Return the metrics known for a held-out patient; the value of a patient is the mean over its sections."""
    patient_of = {section.id: section.patient for section in config.trained_on}
    averages = [_average(metric, patient_of, metrics["held_out"]) for metric in METRIC_NAMES]
    return [average for average in averages if average]


def _average(metric: str, patient_of: Mapping[str, str], held_out: Mapping[str, Any]) -> HeldOutMetric | None:
    values: dict[str, list[float]] = {}
    for section, metrics in held_out.items():
        if metrics[metric] is not None:
            values.setdefault(patient_of[section], []).append(metrics[metric])
    means = [sum(of_patient) / len(of_patient) for of_patient in values.values()]
    return HeldOutMetric(metric, sum(means) / len(means), len(means), patient_interval(means)) if means else None
