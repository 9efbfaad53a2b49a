"""What the report shows of a detector's reliability: lines to draw, a table, and who was never held out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

SIDE = 400.0  # of the square the lines are drawn in
DOT = (4.0, 11.0)  # the radius of a dot, from the fewest spots to the most


class Bin(NamedTuple):
    """Spots of like probability: how many, what was said of them on average, and how many of them were cancer."""

    spots: int
    probability: float
    cancer: float
    radius: float

    @property
    def x(self) -> float:
        """Where the bin is drawn, from the left."""
        return round(SIDE * self.probability, 1)

    @property
    def y(self) -> float:
        """Where the bin is drawn, from the top."""
        return round(SIDE * (1 - self.cancer), 1)


@dataclass(frozen=True)
class ReliabilityView:
    """The reliability on one platform's held-out patients as the report's template takes it."""

    platform: str
    patients: int
    ece: float
    bins: list[Bin]

    @property
    def line(self) -> str:
        """The points of a line through the bins."""
        return " ".join(f"{found.x},{found.y}" for found in self.bins)


def view_reliability(reliability: Mapping[str, Mapping[str, Any]]) -> list[ReliabilityView]:
    """Return what is shown of every platform in ``metrics.json``'s record; bins without spots are left out."""
    return [
        ReliabilityView(platform, int(record["patients"]), float(record["ece"]), _bins(record))
        for platform, record in reliability.items()
    ]


def never_held_out(platforms: Iterable[str], views: Iterable[ReliabilityView]) -> list[str]:
    """Return the platforms of which no patient was held out, so that nothing is known of their reliability."""
    return sorted(set(platforms) - {view.platform for view in views})


def _bins(record: Mapping[str, Any]) -> list[Bin]:
    found = [row for row in zip(record["spots"], record["probability"], record["cancer"], strict=True) if row[0]]
    most = max((spots for spots, _, _ in found), default=1)
    least, largest = DOT
    return [
        Bin(spots, probability, cancer, round(least + (largest - least) * float(np.sqrt(spots / most)), 1))
        for spots, probability, cancer in found
    ]
