"""A tissue with a nucleus in every cell, so that its H&E can be registered with the cells of its Xenium bundle."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from bundles.tissue import Floats, Tissue
from bundles.xenium import XeniumBundle

SPACING_UM, RADIUS_UM = 11.0, 4.0
GLASS, STROMA, NUCLEUS = (245.0, 244.0, 246.0), (232.0, 170.0, 208.0), (90.0, 50.0, 130.0)


@dataclass(frozen=True)
class NuclearTissue(Tissue):
    """Nuclei that crowd in nests and are sparse between them.

    ``lattice`` puts them on a lattice that looks the same when it is turned by 180 degrees.
    """

    size_um: tuple[float, float] = (2600.0, 2100.0)
    seed: int = 0
    lattice: bool = False

    @property
    def nuclei(self) -> Floats:
        """The centres of the nuclei, in um."""
        sides = [np.arange(SPACING_UM / 2, side, SPACING_UM) for side in self.size_um]
        grid = np.stack(np.meshgrid(*sides), axis=-1).reshape(-1, 2)
        if self.lattice:
            return grid + (np.array(self.size_um) - grid.max(axis=0) - grid.min(axis=0)) / 2
        random = np.random.default_rng(self.seed)
        waves, phases = random.normal(0, 1 / 90, (12, 2)), random.uniform(0, 2 * np.pi, 12)
        crowded = np.cos(grid @ waves.T + phases).sum(axis=1) > 1.0
        present = random.random(len(grid)) < np.where(crowded, 0.9, 0.2)
        return np.asarray((grid + random.uniform(-0.4, 0.4, grid.shape) * SPACING_UM)[present])

    def colours(self, points_um: Floats) -> NDArray[np.uint8]:
        """Return the RGB of points: glass, pink stroma and violet nuclei."""
        distance, _ = cKDTree(self.nuclei).query(points_um, distance_upper_bound=2 * RADIUS_UM)
        tissue = np.where(self.covers(points_um)[..., None], STROMA, GLASS)
        return np.rint(np.where(distance[..., None] < RADIUS_UM, NUCLEUS, tissue)).astype(np.uint8)


@dataclass(frozen=True)
class NuclearBundle(XeniumBundle):
    """The bundle of such a tissue: its cells are the nuclei, seen a few um off; ``share`` of them were found."""

    tissue: Any = field(default_factory=NuclearTissue)
    share: float = 0.7
    miss_um: float = 2.0

    @property
    def centroids(self) -> Floats:
        """The centres of the cells that were found, in um."""
        random = np.random.default_rng(9)
        nuclei = self.tissue.nuclei
        found = nuclei[random.random(len(nuclei)) < self.share]
        return np.asarray((found + random.normal(0, self.miss_um, found.shape)).clip(0))
