"""Refine a placement by maximising the correlation of two smooth densities.

The method is that of Evangelidis and Psarakis, "Parametric image alignment using enhanced correlation coefficient
maximization", IEEE Trans Pattern Anal Mach Intell 2008: Gauss-Newton steps that ignore brightness and contrast.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from spacrd_readers.xenium.registration.placement import Placement, sample

if TYPE_CHECKING:
    from spacrd_core.arrays import Array
    from spacrd_readers.xenium.registration.cell_density import CellDensity
    from spacrd_readers.xenium.registration.nuclear_density import NuclearDensity

STEPS = 25
MIN_GAIN = 1e-4  # in correlation; below it nothing has been gained
PATIENCE = 2  # steps without a gain
MIN_INSIDE = 0.5  # share of the cells inside the image
DAMPING = 1e-4


@dataclass(frozen=True)
class Stage:
    """The width of the Gaussian, the number of points compared, and whether stretch and shear are allowed."""

    sigma_um: float
    points: int
    affine: bool


def refine(placement: Placement, cells: CellDensity, he: NuclearDensity, stage: Stage) -> Placement:
    """Return the best placement near another, with the correlation there."""
    density = np.sqrt(he.smoothed(stage.sigma_um / placement.um_per_px))
    slopes = np.gradient(density)[::-1]  # along x, along y
    points, expected = _points(cells, stage)
    best, current, since = Placement(placement.matrix), placement, 0
    for _ in range(STEPS):
        at = current.to_px(points)
        shown, inside = sample(density, at)
        if _share(expected**2, inside) < MIN_INSIDE or not np.ptp(shown):
            break
        target, residual = expected[inside] - expected[inside].mean(), shown - shown.mean()
        score = float(target @ residual / np.sqrt((target @ target) * (residual @ residual)))
        since = 0 if score > best.score + MIN_GAIN else since + 1
        best = max(best, Placement(current.matrix, score), key=lambda each: each.score)
        if since == PATIENCE:
            break
        gradient = np.column_stack([sample(slope, at)[0] for slope in slopes])
        current = _step(current, points[inside], gradient, (target, residual), affine=stage.affine)
    return best


def _share(density: Array, mask: Array) -> float:
    """Return the share of the cells that are in a mask."""
    return float(density[mask].sum() / max(density.sum(), 1e-12))


def _points(cells: CellDensity, stage: Stage) -> tuple[Array, Array]:
    """Return points of the grid of the cells (n x 2, um), and the square root of the smooth density there."""
    density = np.sqrt(cells.smoothed(stage.sigma_um)).ravel()
    bins = np.random.default_rng(0).choice(density.size, min(stage.points, density.size), replace=False)
    return cells.centres_um(bins), density[bins]


def _step(
    placement: Placement, points: Array, gradient: Array, values: tuple[Array, Array], *, affine: bool
) -> Placement:
    """Return the placement after one Gauss-Newton step; ``values`` are the target and what is shown, without means."""
    target, shown = values
    to_unit = np.diag([*np.repeat(1 / points.std(), 2), 1.0])
    to_unit[:2, 2] = -points.mean(axis=0) / points.std()
    unit = np.column_stack([points, np.ones(len(points))]) @ to_unit.T
    matrix = placement.matrix @ np.linalg.inv(to_unit)
    changes = np.eye(6).reshape(6, 2, 3) if affine else _similarities(matrix)
    jacobian = np.stack([((unit @ change.T) * gradient).sum(axis=1) for change in changes])
    jacobian -= jacobian.mean(axis=1, keepdims=True)
    hessian = jacobian @ jacobian.T
    hessian[np.diag_indices_from(hessian)] *= 1 + DAMPING
    projected = jacobian @ shown
    solved = np.linalg.solve(hessian, projected)
    below = target @ shown - (jacobian @ target) @ solved
    above = shown @ shown - projected @ solved
    gain = above / below if below > 0 else np.sqrt((shown @ shown) / (target @ target))
    parameters = np.linalg.solve(hessian, jacobian @ (gain * target - shown))
    return Placement((matrix + np.tensordot(parameters, changes, axes=1)) @ to_unit)


def _similarities(matrix: Array) -> Array:
    """Return the changes of a matrix that grow, turn and shift the map."""
    linear = matrix * (1.0, 1.0, 0.0)
    turned = np.array([[0.0, -1.0], [1.0, 0.0]]) @ linear
    shifts = np.zeros((2, 2, 3))
    shifts[[0, 1], [0, 1], 2] = 1.0
    return np.stack([linear, turned, *shifts])
