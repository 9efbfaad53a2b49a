"""Find how an H&E lies against the cells of a bundle: search, refine, score, and compare with the second best."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from spacrd_readers.xenium.registration.agreement import agreement
from spacrd_readers.xenium.registration.refine import Stage, refine
from spacrd_readers.xenium.registration.score import FineScore
from spacrd_readers.xenium.registration.search import TURNS, Pose, search

if TYPE_CHECKING:
    from spacrd_core.arrays import Array
    from spacrd_readers.xenium.registration.cell_density import CellDensity
    from spacrd_readers.xenium.registration.nuclear_density import NuclearDensity
    from spacrd_readers.xenium.registration.placement import Placement

# Of the tiles of a right pair, all agree as a rule, of neighbouring sections a third, of wrong pairs a tenth; the
# correlations are about 0.6, 0.2 and 0.02.
MIN_SCORE, MIN_TILES = 0.7, 4
MIN_CORRELATION, MIN_RATIO = 0.2, 2.0
ROUGH, MIDDLE, FINE = (
    Stage(48.0, 8_000, affine=False),
    Stage(24.0, 16_000, affine=True),
    Stage(12.0, 40_000, affine=True),
)
CANDIDATES, FINALISTS = 3, 2  # placements of each turn that are refined, and of all that are refined in detail
MAX_STRETCH = 0.05  # of one section, imaged twice
SAME_UM = 200.0  # placements whose corners differ by less are the same
OCCUPIED_UM = 48.0  # the length over which cells count as tissue


class Poses(NamedTuple):
    """What is searched: scales relative to the expected um per px, tilts in degrees, and the longest side in px."""

    scales: tuple[float, ...]
    tilts: tuple[float, ...]
    longest_px: int


SEARCH_UM = 50.0  # px of the map that is searched, at least
NEAR = Poses(tuple(1.03**step for step in range(-2, 3)), (-4.0, -2.0, 0.0, 2.0, 4.0), longest_px=160)
WIDE = Poses(tuple(1.035**step for step in range(-20, 21)), (-3.0, 0.0, 3.0), longest_px=100)


@dataclass(frozen=True)
class Registration:
    """The best placement, and what speaks for it.

    Attributes
    ----------
    agreeing, tiles
        The number of tiles of tissue in which the H&E fits best where the placement puts it, and of all tiles.
    correlation, runner_up
        The fine correlation there, and at the best other place or turn.
    """

    placement: Placement
    agreeing: int
    tiles: int
    correlation: float
    runner_up: float

    @property
    def score(self) -> float:
        """The share of tiles that agree."""
        return self.agreeing / self.tiles if self.tiles else 0.0

    @property
    def is_certain(self) -> bool:
        """Whether the placement may be used."""
        return not self.doubts

    @property
    def doubts(self) -> tuple[str, ...]:
        """What the placement lacks."""
        needed = MIN_RATIO * self.runner_up
        lacks = {
            f"score {self.score:.2f}, needed {MIN_SCORE:.2f}": self.score < MIN_SCORE,
            f"only {self.tiles} tiles of tissue, needed {MIN_TILES}": self.tiles < MIN_TILES,
            f"correlation {self.correlation:.2f}, needed {MIN_CORRELATION:.2f}": self.correlation < MIN_CORRELATION,
            f"correlation {self.correlation:.2f} here and {self.runner_up:.2f} at another place or turn, so it is "
            "ambiguous": self.correlation < needed,
        }
        return tuple(text for text, is_so in lacks.items() if is_so)


def register(he: NuclearDensity, cells: CellDensity) -> Registration | None:
    """Return how the cells lie on an H&E; None if they fit nowhere.

    Scales near the um/px that the image states are tried first, then half to twice what the areas of tissue suggest.
    """
    found = _register(he, cells, he.um_per_px, NEAR) if he.um_per_px else None
    if found and found.is_certain:
        return found
    suggested = suggest_um_per_px(he, cells)
    wide = _register(he, cells, suggested, WIDE) if suggested else None
    return max((each for each in (found, wide) if each), key=lambda each: each.correlation, default=None)


def suggest_um_per_px(he: NuclearDensity, cells: CellDensity) -> float:
    """Return the um per px of the map at which the tissue has the area that the cells fill; 0 if it has none."""
    occupied = cells.smoothed(OCCUPIED_UM) > 0.1 * np.median(cells.smoothed(OCCUPIED_UM)[cells.counts > 0])
    area_um2 = float(occupied.sum()) * cells.bin_um**2
    return float(np.sqrt(area_um2 / he.tissue_px)) if he.tissue_px else 0.0


def _register(he: NuclearDensity, cells: CellDensity, um_per_px: float, searched: Poses) -> Registration | None:
    shrink = max(1.0, SEARCH_UM / um_per_px, max(he.values.shape) / searched.longest_px)
    poses = [
        Pose(turn, tilt, um_per_px * scale * shrink)
        for turn, tilt, scale in product(range(len(TURNS)), searched.tilts, searched.scales)
    ]
    found = search(np.sqrt(_shrunk(he, shrink)), cells, poses, keep=CANDIDATES)
    starts = [replace(each, matrix=each.matrix * shrink) for each in found]
    rough = _distinct([refine(each, cells, he, ROUGH) for each in starts], cells)
    return _best([refine(each, cells, he, MIDDLE) for each in rough], he, cells)


def _best(placements: list[Placement], he: NuclearDensity, cells: CellDensity) -> Registration | None:
    """Return the placement with the best fine score and the score of the second, both refined once more."""
    fine = FineScore(cells)
    scored = _scored(placements, he, fine)[:FINALISTS]
    scored = _scored([refine(each, cells, he, FINE) for each in scored], he, fine)
    distinct = _distinct(scored, cells)
    if not distinct:
        return None
    best, *others = distinct
    agreeing, tiles = agreement(best, cells, he, fine.interior)
    return Registration(best, agreeing, tiles, best.score, max((each.score for each in others), default=0.0))


def _scored(placements: list[Placement], he: NuclearDensity, fine: FineScore) -> list[Placement]:
    """Return the plausible placements with their fine scores, the best first."""
    plausible = [each for each in placements if each.stretch <= MAX_STRETCH]
    scored = [replace(each, score=fine.of(each, he)) for each in plausible]
    return sorted(scored, key=lambda each: -each.score)


def _distinct(placements: list[Placement], cells: CellDensity) -> list[Placement]:
    """Return the placements, the best first, without those that are almost the same as a better one."""
    kept: list[Placement] = []
    for placement in sorted(placements, key=lambda each: -each.score):
        if all(placement.distance_um(other, cells.corners_um) > SAME_UM for other in kept):
            kept.append(placement)
    return kept


def _shrunk(he: NuclearDensity, factor: float) -> Array:
    """Return the map at a coarser resolution, smooth over its px."""
    height, width = (max(1, int(side / factor)) for side in he.values.shape)
    rows, columns = ((np.arange(side) + 0.5) * factor for side in (height, width))
    smooth = he.smoothed(factor)
    return np.asarray(smooth[np.ix_(rows.astype(int), columns.astype(int))])
