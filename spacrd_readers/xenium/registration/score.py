"""Score a placement by the fine structure of the tissue, which only the right place of the right section has.

Outlines, glands and tumour nests of a wrong turn or of a neighbouring section correlate, too, but only coarsely. So the
score is the correlation of the local contrast of cells and nuclei: their density over 15 um, compared with that over
60 um, where there are cells all round.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from spacrd_readers.xenium.registration.placement import sample

if TYPE_CHECKING:
    from spacrd_core.arrays import Array
    from spacrd_readers.xenium.registration.cell_density import CellDensity
    from spacrd_readers.xenium.registration.nuclear_density import NuclearDensity
    from spacrd_readers.xenium.registration.placement import Placement

FINE_UM, COARSE_UM = 15.0, 60.0
MIN_RELATIVE_DENSITY = 0.3  # of the median density around cells: below it is the edge of tissue, or no tissue
MAX_POINTS = 100_000
MIN_INSIDE = 0.4


class FineScore:
    """The local contrast of cells, with which that of an H&E is compared."""

    def __init__(self, cells: CellDensity) -> None:
        fine, coarse = cells.smoothed(FINE_UM), cells.smoothed(COARSE_UM)
        usual = np.median(coarse[cells.counts > 0])
        self.interior = coarse > MIN_RELATIVE_DENSITY * usual
        flat = np.flatnonzero(self.interior)
        bins = np.random.default_rng(0).choice(flat, min(MAX_POINTS, len(flat)), replace=False)
        self._points = cells.centres_um(bins)
        self._contrast = contrast(fine.ravel()[bins], coarse.ravel()[bins])

    def of(self, placement: Placement, he: NuclearDensity) -> float:
        """Return the score of a placement: a correlation, 0 where too little is inside the image."""
        at = placement.to_px(self._points)
        fine, inside = sample(he.smoothed(FINE_UM / placement.um_per_px), at)
        coarse, _ = sample(he.smoothed(COARSE_UM / placement.um_per_px), at)
        shown, expected = contrast(fine, coarse), self._contrast[inside]
        if inside.mean() < MIN_INSIDE or not np.ptp(shown) or not np.ptp(expected):
            return 0.0
        return float(np.corrcoef(shown, expected)[0, 1])


def contrast(fine: Array, coarse: Array) -> Array:
    """Return the contrast against the surroundings, without dividing by almost nothing."""
    return np.asarray((fine - coarse) / (coarse + 0.2 * np.median(coarse) + 1e-6))
