"""The detector's reliability as the report shows it: a diagram, a table, and platforms without held-out patients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

DIAGRAM_SIZE = 400.0  # side of the square diagram, in SVG units
DOT_RADII = (4.0, 11.0)  # of the bin with the fewest and with the most spots, in SVG units


class Bin(NamedTuple):
    """Spots of similar probability: their number, mean probability, fraction of cancer, and radius in the diagram."""

    spots: int
    probability: float
    cancer: float
    radius: float

    @property
    def x(self) -> float:
        """Position from the left of the diagram."""
        return round(DIAGRAM_SIZE * self.probability, 1)

    @property
    def y(self) -> float:
        """Position from the top of the diagram."""
        return round(DIAGRAM_SIZE * (1 - self.cancer), 1)


@dataclass(frozen=True)
class ReliabilityView:
    """Reliability on the held-out patients of one platform, as the report's template uses it."""

    platform: str
    patients: int
    ece: float
    bins: list[Bin]

    @property
    def line(self) -> str:
        """The points of a line through the bins."""
        return " ".join(f"{point.x},{point.y}" for point in self.bins)


def build_reliability_views(reliability: Mapping[str, Mapping[str, Any]]) -> list[ReliabilityView]:
    """Return one view per platform of the record in ``metrics.json``; bins without spots are omitted."""
    return [
        ReliabilityView(platform, int(record["patients"]), float(record["ece"]), _bins(record))
        for platform, record in reliability.items()
    ]


def platforms_without_held_out(platforms: Iterable[str], views: Iterable[ReliabilityView]) -> list[str]:
    """Return the platforms without a held-out patient, for which the reliability is unknown."""
    return sorted(set(platforms) - {view.platform for view in views})


def _bins(record: Mapping[str, Any]) -> list[Bin]:
    rows = [row for row in zip(record["spots"], record["probability"], record["cancer"], strict=True) if row[0]]
    most_spots = max((spots for spots, _, _ in rows), default=1)
    smallest, largest = DOT_RADII
    return [
        Bin(spots, probability, cancer, round(smallest + (largest - smallest) * float(np.sqrt(spots / most_spots)), 1))
        for spots, probability, cancer in rows
    ]
