"""Measure um/px of a Visium section from the lattice of its spots.

Spots in a row are 100 um apart, in every second column of the array; rows are 87 um apart. Both are exact in real
files. ``spot_diameter_fullres`` is not usable: it is 65 um, or 70 um with a CytAssist, never the 55 um of a spot.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from spacrd_core.errors import GeometryError
from spacrd_core.section.geometry import fit_affine, lattice_um_per_px
from spacrd_readers._base import UM_PER_PX_TOLERANCE

if TYPE_CHECKING:
    from spacrd_core.section.geometry import Affine
    from spacrd_readers.visium.positions import Positions

PITCH_UM = 100.0
ARRAY_STEP_UM = np.array([50.0, 87.0])
MAX_LATTICE_RMS = 0.1  # in pitches; real sections stay below 0.003
MAX_AXIS_RATIO = 1.1  # of the axes; real sections stay below 1.001, swapped columns and rows give 3
COPY_POSITIONS = "copy the positions again from the run's spatial folder"


@dataclass(frozen=True)
class LatticeScale:
    """um/px of a section, whether its array is mirrored on the image, and notes."""

    um_per_px: float
    mirrored: bool = False
    notes: tuple[str, ...] = ()


def measure_scale(positions: Positions, override: float | None) -> LatticeScale:
    """Return the scale from the pitch, or as given, with a note if the two disagree.

    Raises
    ------
    GeometryError
        If px do not follow the array, or the spots do not determine um/px and it was not given.
    """
    if np.linalg.matrix_rank(positions.array - positions.array.mean(axis=0)) < 2:
        reason = f"the {len(positions.px)} spots of {positions.path} are on one line, which does not determine um/px"
        if override is None:
            raise GeometryError(reason, hint="use --um-per-px X")
        return LatticeScale(override, notes=(f"um/px is {override:g} as given; it could not be checked: {reason}",))
    fit = fit_affine(positions.array * ARRAY_STEP_UM, positions.px)
    _require_lattice(fit, positions)
    fitted = lattice_um_per_px(fit, step_um=(1.0, 1.0))
    mirrored = bool(np.linalg.det(fit.matrix) < 0)
    if override is None or abs(override / fitted - 1) <= UM_PER_PX_TOLERANCE:
        return LatticeScale(override or fitted, mirrored)
    note = f"um/px is {override:g} as given, but the array's 100 um pitch gives {fitted:.4f}"
    return LatticeScale(override, mirrored, (note,))


def _require_lattice(fit: Affine, positions: Positions) -> None:
    wide, narrow = np.linalg.svd(fit.matrix, compute_uv=False)
    rms = fit.rms / wide / PITCH_UM if wide else np.inf
    if rms > MAX_LATTICE_RMS:
        reason = f"they deviate by {rms:.2f} pitches (RMS)"
    elif wide > MAX_AXIS_RATIO * narrow:
        reason = f"one axis is {wide / max(narrow, 1e-9):.2f} times as long as the other"
    else:
        return
    raise GeometryError(
        f"the pixel positions in {positions.path} do not follow its array: {reason}", hint=COPY_POSITIONS
    )
