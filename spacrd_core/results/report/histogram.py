"""The histogram of a section's probabilities."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from matplotlib.colors import to_hex

from spacrd_core.results.colours import PALETTE

if TYPE_CHECKING:
    from numpy.typing import NDArray

BINS = 20
WIDTH, HEIGHT = 200.0, 60.0  # in SVG units


class Bar(NamedTuple):
    """A bin of probabilities: its number of spots, its place in the SVG, and the colour of its probability."""

    start: float
    spots: int
    x: float
    height: float
    colour: str


def histogram(probability: NDArray[np.float64]) -> list[Bar]:
    """Return a bar per bin of 0.05, empty without known probabilities; the highest has ``HEIGHT``.

    Heights grow with the square root of the number of spots: few spots are seen beside many.
    """
    known = probability[np.isfinite(probability)]
    if not len(known):
        return []
    counts, edges = np.histogram(known, bins=BINS, range=(0.0, 1.0))
    heights = HEIGHT * np.sqrt(counts / counts.max())
    return [
        Bar(
            round(float(start), 2),
            int(spots),
            round(WIDTH * float(start), 1),
            round(float(height), 1),
            to_hex(PALETTE(float(start) + 0.5 / BINS)),
        )
        for start, spots, height in zip(edges[:-1], counts, heights, strict=True)
    ]
