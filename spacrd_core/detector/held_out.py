"""What a detector reached on patients it was not trained on: means over patients, with their intervals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spacrd_core.metrics.bootstrap import patient_interval

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spacrd_core.detector.config import DetectorConfig

NAMES = {"auc": "AUC", "ap": "AP", "f1": "F1", "brier": "Brier", "ece": "ECE"}


@dataclass(frozen=True)
class Reached:
    """A figure's mean over held-out patients, and what other patients might have given."""

    figure: str
    mean: float
    patients: int
    interval: tuple[float, float] | None

    @property
    def name(self) -> str:
        """What the figure is called."""
        return NAMES[self.figure]

    @property
    def text(self) -> str:
        """The mean with its interval."""
        spread = f" ({self.interval[0]:.3f} to {self.interval[1]:.3f})" if self.interval else ""
        return f"{self.mean:.3f}{spread}"


def reached(config: DetectorConfig, metrics: Mapping[str, Any]) -> list[Reached]:
    """Return every figure that a held-out patient has, a patient's being the mean over its sections."""
    owners = {section.id: section.patient for section in config.trained_on}
    found = [_reached(figure, owners, metrics.get("held_out", {})) for figure in NAMES]
    return [figure for figure in found if figure]


def _reached(figure: str, owners: Mapping[str, str], held_out: Mapping[str, Any]) -> Reached | None:
    values: dict[str, list[float]] = {}
    for section, figures in held_out.items():
        if figures[figure] is not None:
            values.setdefault(owners[section], []).append(figures[figure])
    means = [sum(given) / len(given) for given in values.values()]
    return Reached(figure, sum(means) / len(means), len(means), patient_interval(means)) if means else None
