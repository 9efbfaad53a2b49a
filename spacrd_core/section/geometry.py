"""Geometry of spots: least-squares maps between frames, um/px from a known pitch, neighbours, footprints."""

from dataclasses import dataclass

import numpy as np
import shapely
from jaxtyping import Bool, Float, Int
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from spacrd_core.arrays import Array
from spacrd_core.errors import GeometryError
from spacrd_core.section.section import SpotShape

NANOMETRE = 1e-3  # resolution of distances in um; smaller differences are ties


@dataclass(frozen=True)
class Affine:
    """An affine map of the plane, ``points @ matrix + offset``, fitted by least squares, with the residual ``rms``."""

    matrix: Float[Array, "2 2"]
    offset: Float[Array, " 2"]
    rms: float

    @property
    def area(self) -> float:
        """The area in the target frame of a unit square in the source frame."""
        return float(abs(np.linalg.det(self.matrix)))

    def apply(self, points: Float[Array, "n 2"]) -> Float[Array, "n 2"]:
        """Return the mapped points."""
        return points @ self.matrix + self.offset


def fit_affine(source: Float[Array, "n 2"], target: Float[Array, "n 2"]) -> Affine:
    """Return the affine map from source to target points with the least squared residual.

    Raises
    ------
    GeometryError
        If there are fewer than three points, or all are on one line.
    """
    design = np.column_stack([source, np.ones(len(source))]).astype(np.float64)
    if len(source) < 3 or np.linalg.matrix_rank(design - [*design.mean(axis=0)[:2], 0.0]) < 3:
        raise GeometryError(
            f"a lattice cannot be fitted to {len(source)} spots: at least three that are not collinear are needed"
        )
    solution = np.linalg.lstsq(design, target, rcond=None)[0]
    residual = target - design @ solution
    return Affine(solution[:2], solution[2], float(np.sqrt((residual**2).sum(axis=1).mean())))


def lattice_um_per_px(fit: Affine, *, step_um: tuple[float, float]) -> float:
    """Return um/px from a fit of array coordinates to px, given the array steps along x and y in um.

    The mean over both axes (by area) is used, so that a stretched or rotated frame still has one pixel size.
    """
    if not fit.area > 0:
        raise GeometryError("the pixel positions of the spots are on one line")
    return float(np.sqrt(step_um[0] * step_um[1] / fit.area))


def estimate_pitch(xy: Float[Array, "n 2"]) -> float:
    """Return the median distance from a spot to its nearest neighbour, in the unit of the positions."""
    if len(xy) < 2:
        raise GeometryError(f"the pitch needs at least two spots, found {len(xy)}")
    return float(np.median(cKDTree(xy).query(xy, k=2)[0][:, 1]))


def neighbours(xy_um: Float[Array, "n 2"], *, k: int, radius_um: float) -> tuple[Int[Array, "n k"], Bool[Array, "n k"]]:
    """Return the k nearest spots within a radius of every spot, starting with itself, and the mask of those present.

    Spots at the same distance are in the order of their indices; absent entries have index 0.
    """
    count = len(xy_um)
    if count == 0:
        return np.zeros((0, k), dtype=np.int64), np.zeros((0, k), dtype=bool)
    distances, indices = _nearest(xy_um, k, radius_um)
    distances[indices == np.arange(count)[:, None]] = -1.0
    order = np.lexsort((indices, distances))[:, :k]
    distances, indices = np.take_along_axis(distances, order, axis=1), np.take_along_axis(indices, order, axis=1)
    present = distances <= radius_um + NANOMETRE
    return np.where(present, indices, 0).astype(np.int64), present


def _nearest(xy_um: Float[Array, "n 2"], k: int, radius_um: float) -> tuple[Float[Array, "n w"], Int[Array, "n w"]]:
    """Return more than k candidates per spot, enough to include all ties at rank k; distances in steps of 1 nm."""
    tree = cKDTree(xy_um)
    width = 2 * k + 8  # a square lattice has at most twelve spots at the same small distance
    while True:
        distances, indices = tree.query(xy_um, k=width, distance_upper_bound=radius_um + 2 * NANOMETRE)
        distances = np.round(distances / NANOMETRE) * NANOMETRE
        undecided = np.isfinite(distances[:, -1]) & (distances[:, k - 1] == distances[:, -1])
        if not undecided.any():
            return distances, indices
        width *= 2


def footprints(
    points: NDArray[np.float64], width: float, shape: SpotShape, *, angle: float = 0.0
) -> NDArray[np.object_]:
    """Return the footprint of each spot: a disc (as a 16-gon) or a square, rotated by ``angle`` in radians."""
    if shape == "disc":
        return np.asarray(shapely.buffer(shapely.points(points), width / 2, quad_segs=4), dtype=object)
    directions = angle + np.radians([-135, -45, 45, 135])
    corners = width / np.sqrt(2) * np.column_stack([np.cos(directions), np.sin(directions)])
    return np.asarray(shapely.polygons(points[:, None, :] + corners), dtype=object)
