"""Count in how many tiles of tissue an H&E fits best where a placement puts it.

A wrong turn, another tissue and a featureless one fit somewhere else in almost every tile, and a neighbouring section,
which is deformed otherwise, in many. The share of tiles is therefore a measure of trust that needs no other placement.
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from spacrd_readers.xenium.registration.placement import sample
from spacrd_readers.xenium.registration.score import COARSE_UM, FINE_UM, contrast

if TYPE_CHECKING:
    from spacrd_core.arrays import Array
    from spacrd_readers.xenium.registration.cell_density import CellDensity
    from spacrd_readers.xenium.registration.nuclear_density import NuclearDensity
    from spacrd_readers.xenium.registration.placement import Placement

TILE_UM, REACH_UM, STEP_UM = 640.0, 160.0, 16.0  # side of a tile; how far, and in what steps it is shifted
MAX_SHIFT_UM = 50.0  # half a spot: a tile that fits better farther away disagrees
MIN_INTERIOR = 0.3  # share of a tile that is tissue


def agreement(placement: Placement, cells: CellDensity, he: NuclearDensity, interior: Array) -> tuple[int, int]:
    """Return in how many tiles the H&E fits best within half a spot, and the number of tiles.

    ``interior`` is the mask of the bins of ``cells`` that are tissue.
    """
    expected, shown, valid = _planes(placement, cells, he, interior)
    reach = int(REACH_UM / STEP_UM)
    shifts = np.array(list(product(range(-reach, reach + 1), repeat=2)))
    height, width = expected.shape
    inner = (slice(reach, height - reach), slice(reach, width - reach))
    if min(height, width) <= 2 * reach:
        return 0, 0
    fixed, mask = expected[inner], valid[inner]
    fits = []
    for down, right in shifts:
        moved = shown[reach + down : height - reach + down, reach + right : width - reach + right]
        number, covariance, power = (_tiles(plane * mask) for plane in (np.ones_like(fixed), fixed * moved, moved**2))
        fits.append(covariance / np.sqrt(np.maximum(power * number, 1e-12)))
    enough = number >= MIN_INTERIOR * (TILE_UM / STEP_UM) ** 2
    best = shifts[np.stack(fits).argmax(axis=0)][enough]
    near = np.linalg.norm(best, axis=-1) * STEP_UM <= MAX_SHIFT_UM
    return int(near.sum()), int(enough.sum())


def _planes(
    placement: Placement, cells: CellDensity, he: NuclearDensity, interior: Array
) -> tuple[Array, Array, Array]:
    """Return the contrast of cells and nuclei on a grid of steps around the cells, and the mask of their tissue."""
    stride = round(STEP_UM / cells.bin_um)
    pad = int(REACH_UM / cells.bin_um) // stride * stride
    rows, columns = (np.arange(-pad, side + pad, stride) for side in cells.counts.shape)
    points = np.stack(np.meshgrid(columns, rows), axis=-1).reshape(-1, 2) * cells.bin_um + cells.corner_um
    points += cells.bin_um / 2
    shape = len(rows), len(columns)
    at = placement.to_px(points)
    fine, inside = sample(he.smoothed(FINE_UM / placement.um_per_px), at)
    coarse, _ = sample(he.smoothed(COARSE_UM / placement.um_per_px), at)
    shown = np.zeros(len(points))
    shown[inside] = contrast(fine, coarse)
    counted = contrast(cells.smoothed(FINE_UM), cells.smoothed(COARSE_UM))[::stride, ::stride]
    around = pad // stride
    expected = np.pad(counted, around)
    valid = np.pad(interior[::stride, ::stride], around) & inside.reshape(shape)
    return expected, shown.reshape(shape), valid.astype(float)


def _tiles(plane: Array) -> Array:
    """Return the sum of every tile."""
    side = int(TILE_UM / STEP_UM)
    rows, columns = (np.arange(0, length, side) for length in plane.shape)
    return np.add.reduceat(np.add.reduceat(plane, rows, axis=0), columns, axis=1)
