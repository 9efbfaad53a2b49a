"""A placement: how cells lie on the map of an H&E."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

if TYPE_CHECKING:
    from spacrd_core.arrays import Array


@dataclass(frozen=True, eq=False)
class Placement:
    """``matrix`` (2 x 3) maps um ``(x, y, 1)`` of the cells to px of a map; ``score`` is how well they fit there."""

    matrix: Array
    score: float = -1.0

    @property
    def um_per_px(self) -> float:
        """The um per px of the map (geometric mean of both axes)."""
        return float(1 / np.sqrt(abs(np.linalg.det(self.matrix[:, :2]))))

    @property
    def stretch(self) -> float:
        """The excess of one axis over the other."""
        longest, shortest = np.linalg.svd(self.matrix[:, :2], compute_uv=False)
        return float(longest / max(shortest, 1e-12) - 1)

    @property
    def description(self) -> str:
        """How the H&E lies against the cells, as text."""
        linear = self.matrix[:, :2]
        mirrored = np.linalg.det(linear) < 0
        if mirrored:
            linear = linear @ np.diag([-1.0, 1.0])
        degrees = float(np.degrees(np.arctan2(linear[1, 0] - linear[0, 1], linear[0, 0] + linear[1, 1])))
        direction = "clockwise" if degrees >= 0 else "counterclockwise"
        mirror = "mirrored left to right and " if mirrored else ""
        return f"{mirror}turned by {abs(degrees):.1f} degrees {direction} against the cells"

    def to_px(self, points_um: Array) -> Array:
        """Return points (n x 2, um) in px of the map; the corner of its first px is (0, 0)."""
        return np.asarray(points_um @ self.matrix[:, :2].T + self.matrix[:, 2])

    def distance_um(self, other: Placement, points_um: Array) -> float:
        """Return how far two placements put points apart, at most."""
        apart = np.linalg.norm(self.to_px(points_um) - other.to_px(points_um), axis=1)
        return float(apart.max() * self.um_per_px)


def sample(plane: Array, points_px: Array) -> tuple[Array, Array]:
    """Return a plane at points (n x 2, px), and the mask of points that are inside; the others are missing."""
    height, width = plane.shape
    centred = points_px - 0.5
    inside = np.asarray(((centred >= 0) & (centred <= (width - 1, height - 1))).all(axis=1))
    return ndimage.map_coordinates(plane, centred[inside].T[::-1], order=1), inside
