"""um/px of a Visium section, from the lattice of its spots.

Spots of a row lie 100 um apart, every second column of the array; rows lie 87 um apart. Both are exact in real files.
``spot_diameter_fullres`` is no measure: it stands for 65 um, or 70 um after a CytAssist, never for the 55 um of a spot.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from spacrd_core.errors import GeometryError
from spacrd_core.section.geometry import fit_affine, lattice_um_per_px

if TYPE_CHECKING:
    from spacrd_core.section.geometry import Affine
    from spacrd_readers.visium.positions import Positions

PITCH_UM = 100.0
STEP_UM = np.array([50.0, 87.0])
OFF = 0.1  # pitches; real sections stay under 0.003
STRETCH = 1.1  # between the axes; real sections stay under 1.001, columns and rows in each other's place give 3
DISAGREE = 0.03
HINT = "copy the positions again from the run's spatial folder"


@dataclass(frozen=True)
class Scale:
    """um/px of a section, whether its array lies mirrored on the image, and what the user should know."""

    um_per_px: float
    mirrored: bool = False
    notes: tuple[str, ...] = ()


def scale_of(positions: Positions, given: float | None) -> Scale:
    """Return the scale by the pitch; um/px as given wins, with a note where the two disagree.

    Raises
    ------
    GeometryError
        If px do not follow the array, or too few spots leave um/px open and nothing was given.
    """
    if np.linalg.matrix_rank(positions.array - positions.array.mean(axis=0)) < 2:
        few = f"the {len(positions.px)} spots of {positions.path} lie on one line, which tells no um/px"
        if given is None:
            raise GeometryError(few, hint="--um-per-px X")
        return Scale(given, notes=(f"um/px is {given:g} as given; it could not be checked: {few}",))
    fit = fit_affine(positions.array * STEP_UM, positions.px)
    _refuse_unlike(fit, positions)
    fitted = lattice_um_per_px(fit, step_um=(1.0, 1.0))
    mirrored = bool(np.linalg.det(fit.matrix) < 0)
    if given is None or abs(given / fitted - 1) <= DISAGREE:
        return Scale(given or fitted, mirrored)
    note = f"um/px is {given:g} as given, though the 100 um pitch of the array says {fitted:.4f}"
    return Scale(given, mirrored, (note,))


def _refuse_unlike(fit: Affine, positions: Positions) -> None:
    wide, narrow = np.linalg.svd(fit.matrix, compute_uv=False)
    off = fit.rms / wide / PITCH_UM if wide else np.inf
    if off > OFF:
        reason = f"{off:.2f} pitches off on average"
    elif wide > STRETCH * narrow:
        reason = f"one axis is {wide / max(narrow, 1e-9):.2f} times as long as the other"
    else:
        return
    raise GeometryError(f"the px of the positions {positions.path} do not follow its array: {reason}", hint=HINT)
