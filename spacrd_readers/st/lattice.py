"""The array of legacy ST: a square lattice of 200 um, which gives um/px, or the positions themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.spatial import cKDTree

from spacrd_core.errors import GeometryError
from spacrd_core.section.geometry import fit_affine, lattice_um_per_px
from spacrd_readers._base import UM_PER_PX_TOLERANCE

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from spacrd_core.arrays import Array

PITCH_UM = 200.0
MAX_LATTICE_RMS = 0.3  # in array steps; real sections stay below 0.1
MAX_STEP = 1.5  # median distance to the nearest spot, in array steps; px are much farther apart


def um_per_px(spots: pd.DataFrame, override: float | None, path: Path) -> tuple[float, tuple[str, ...]]:
    """Return um/px from the 200 um pitch of the array, or as given, and a note if the two disagree.

    Raises
    ------
    GeometryError
        If the spots do not form a lattice and um/px was not given.
    """
    try:
        fitted = _fit_um_per_px(spots, path)
    except GeometryError as error:
        if override is None:
            raise GeometryError(f"um/px is unknown: {error}", hint="use --um-per-px X") from error
        return override, (f"um/px is {override:g} as given; it could not be checked: {error}",)
    if override is None:
        return fitted, ()
    if abs(override / fitted - 1) <= UM_PER_PX_TOLERANCE:
        return override, ()
    return override, (f"um/px is {override:g} as given, but the array's 200 um pitch gives {fitted:.4f}",)


def spots_of_array(array: pd.DataFrame, um_per_px: float, path: Path) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return the spots of a counts table without a spot table, by the array positions in their names; and a note.

    Raises
    ------
    GeometryError
        If the names are not positions on the array, but px.
    """
    positions = array.to_numpy(dtype=float)
    if _nearest(positions) > MAX_STEP:
        raise GeometryError(
            f"the names of the spots in {path} are not positions on the array: neighbours are "
            f"{_nearest(positions):.0f} steps apart",
            hint="give their spot table: --set reader.spots=FILE",
        )
    px = positions * PITCH_UM / um_per_px
    note = "no spot table was found: the names of the spots were used as positions on the array, 200 um apart"
    return array.assign(x_px=px[:, 0], y_px=px[:, 1]), (note,)


def _nearest(positions: Array) -> float:
    """Return the median distance of spots to their nearest neighbour; 0 for a single spot."""
    if len(positions) == 1:
        return 0.0
    return float(np.median(cKDTree(positions).query(positions, k=2)[0][:, 1]))


def _fit_um_per_px(spots: pd.DataFrame, path: Path) -> float:
    steps = spots[["array_x", "array_y"]].to_numpy().round()
    fit = fit_affine(steps, spots[["x_px", "y_px"]].to_numpy())
    fitted = lattice_um_per_px(fit, step_um=(PITCH_UM, PITCH_UM))
    rms = fit.rms * fitted / PITCH_UM
    if rms > MAX_LATTICE_RMS:
        raise GeometryError(
            f"the pixel positions of {path} do not follow its array positions: they deviate by {rms:.2f} steps (RMS)",
            hint="check that its px belong to this section and are in the order of its spots",
        )
    return fitted
