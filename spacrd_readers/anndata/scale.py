"""Find um/px, pitch and spot size from the lattice or the scale factors, never from the spot diameter.

``spot_diameter_fullres`` of a Visium section is 65 um, not the 55 um of a spot: um/px from 55 um is 15 % too small.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from spacrd_core.errors import GeometryError
from spacrd_core.section.geometry import estimate_pitch, fit_affine, lattice_um_per_px
from spacrd_readers._base import UM_PER_PX_TOLERANCE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pandas as pd

    from spacrd_core.section.section import SpotShape

VISIUM_PITCH_UM, VISIUM_SPOT_UM = 100.0, 55.0
HEXAGONAL_STEPS = (0.5, 0.87)  # in pitches, between columns and between rows; exact in real files
MAX_LATTICE_RMS = 0.1  # in pitches; real Visium sections stay below 0.01
MAX_AXIS_RATIO = 1.1  # of the lattice's axes; a square lattice taken for a hexagonal one has 1.73
BIN_NOTE = "each {:g} um bin is one spot; --reader visium_hd sums the bins of a run"
UM_PER_PX_HINT = "use --um-per-px X (1 if obsm['spatial'] is in um)"


@dataclass(frozen=True)
class SizeOverrides:
    """Sizes that the user gave; None where they are to be measured."""

    um_per_px: float | None = None
    spot_um: float | None = None
    spot_shape: SpotShape | None = None
    pitch_um: float | None = None


@dataclass(frozen=True)
class Scale:
    """The sizes of a section, and notes on how they were found."""

    um_per_px: float
    spot_um: float
    spot_shape: SpotShape
    pitch_um: float
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Lattice:
    um_per_px: float
    pitch_um: float
    is_visium: bool


def find_scale(table: pd.DataFrame, factors: Mapping[str, float], overrides: SizeOverrides, path: Path) -> Scale:
    """Return the sizes of a section from its spots (``x_px``, ``y_px``, ``array_x``, ``array_y``) and scale factors.

    Raises
    ------
    GeometryError
        If um/px cannot be found.
    """
    lattice, missing = None, ""
    try:
        lattice = _lattice(table, factors, overrides.pitch_um)
    except GeometryError as error:
        missing = str(error)
    measured = factors.get("microns_per_pixel") or (lattice.um_per_px if lattice else None)
    um_per_px = overrides.um_per_px or measured
    if um_per_px is None:
        raise GeometryError(
            f"um/px of {path} is unknown: its scale factors have no microns_per_pixel, and {missing}",
            hint=UM_PER_PX_HINT,
        )
    agrees = lattice is not None and abs(um_per_px / lattice.um_per_px - 1) <= UM_PER_PX_TOLERANCE
    pitch = overrides.pitch_um or (
        lattice.pitch_um if lattice and agrees else _nearest_distance_px(table, path) * um_per_px
    )
    spot_um, spot_notes = _spot_um(lattice, factors, overrides, um_per_px=um_per_px, pitch=pitch)
    shape: SpotShape = "square" if "bin_size_um" in factors else "disc"
    notes = (*_disagreement_note(um_per_px, lattice, overrides), *spot_notes)
    return Scale(um_per_px, spot_um, overrides.spot_shape or shape, pitch, notes)


def _lattice(table: pd.DataFrame, factors: Mapping[str, float], pitch_um: float | None) -> _Lattice:
    if "array_x" not in table.columns:
        raise GeometryError("obs has no array_row and array_col to fit a lattice of known pitch to")
    array = table[["array_x", "array_y"]].to_numpy()
    hexagonal = bool((array.sum(axis=1) % 2 == 0).all())
    pitch = pitch_um or factors.get("bin_size_um") or (VISIUM_PITCH_UM if hexagonal else None)
    if pitch is None:
        raise GeometryError("its array positions are not a Visium lattice (--set reader.pitch_um=200 for legacy ST)")
    steps = pitch * np.array(HEXAGONAL_STEPS if hexagonal else (1.0, 1.0))
    fit = fit_affine(array * steps, table[["x_px", "y_px"]].to_numpy())
    um_per_px = lattice_um_per_px(fit, step_um=(1.0, 1.0))
    axes = np.linalg.svd(fit.matrix, compute_uv=False)
    if fit.rms * um_per_px > MAX_LATTICE_RMS * pitch or axes[0] > MAX_AXIS_RATIO * axes[1]:
        raise GeometryError(f"its positions do not fit a lattice of {pitch:g} um pitch")
    return _Lattice(um_per_px, pitch, is_visium=hexagonal and pitch == VISIUM_PITCH_UM)


def _nearest_distance_px(table: pd.DataFrame, path: Path) -> float:
    pitch = estimate_pitch(table[["x_px", "y_px"]].to_numpy())
    if not pitch > 0:
        raise GeometryError(f"most spots of {path} share one position", hint="check obsm['spatial']")
    return pitch


def _disagreement_note(um_per_px: float, lattice: _Lattice | None, overrides: SizeOverrides) -> tuple[str, ...]:
    if lattice is None or abs(um_per_px / lattice.um_per_px - 1) <= UM_PER_PX_TOLERANCE:
        return ()
    source = "as given" if overrides.um_per_px else "from microns_per_pixel"
    fitted = f"but the array's {lattice.pitch_um:g} um pitch gives {lattice.um_per_px:.4f}"
    return (f"um/px is {um_per_px:.4g} {source}, {fitted}",)


def _spot_um(
    lattice: _Lattice | None, factors: Mapping[str, float], overrides: SizeOverrides, *, um_per_px: float, pitch: float
) -> tuple[float, tuple[str, ...]]:
    """Return the width of a spot, and a note if it is an estimate."""
    if overrides.spot_um:
        return overrides.spot_um, ()
    if "bin_size_um" in factors:
        return factors["bin_size_um"], (BIN_NOTE.format(factors["bin_size_um"]),)
    if lattice and lattice.is_visium:
        return VISIUM_SPOT_UM, ()
    diameter = factors.get("spot_diameter_fullres", 0.0) * um_per_px
    width, source = (diameter, "spot_diameter_fullres") if diameter else (pitch, "the distance between neighbours")
    return width, (f"spots are assumed to be {width:.3g} um wide, from {source}; set it with --set reader.spot_um=X",)
