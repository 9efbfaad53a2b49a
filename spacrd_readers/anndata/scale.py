"""um/px, pitch and spot size of an object: by its lattice or scale factors, never by the diameter of its spots.

``spot_diameter_fullres`` of a Visium section is 65 um, not the 55 um of a spot: um/px by 55 is 15 % too small.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from spacrd_core.errors import GeometryError
from spacrd_core.section.geometry import estimate_pitch, fit_affine, lattice_um_per_px

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pandas as pd

    from spacrd_core.section.section import SpotShape

VISIUM_PITCH_UM, VISIUM_SPOT_UM = 100.0, 55.0
HEXAGONAL = (0.5, 0.87)  # pitches from column to column and from row to row; exact in real files
OFF = 0.1  # pitches; real Visium sections stay under 0.01
STRETCH = 1.1  # between the axes of a lattice; a square one taken for a hexagonal one has 1.73
DISAGREE = 0.03
BINS = "each bin of {:g} um is a spot of its own; --reader visium_hd sums the bins of a run"
HINT = "--um-per-px X (1 where obsm['spatial'] is in um)"


@dataclass(frozen=True)
class Sizes:
    """What the user says of a section; None where it is to be found."""

    um_per_px: float | None = None
    spot_um: float | None = None
    spot_shape: SpotShape | None = None
    pitch_um: float | None = None


@dataclass(frozen=True)
class Scale:
    """The sizes of a section, and what the user should know."""

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


def find_scale(table: pd.DataFrame, factors: Mapping[str, float], said: Sizes, path: Path) -> Scale:
    """Return the sizes of the spots in a table (``x_px``, ``y_px``, ``array_x``, ``array_y``) with its scale factors.

    Raises
    ------
    GeometryError
        If nothing tells um/px.
    """
    lattice, missing = None, ""
    try:
        lattice = _lattice(table, factors, said.pitch_um)
    except GeometryError as error:
        missing = str(error)
    known = factors.get("microns_per_pixel") or (lattice.um_per_px if lattice else None)
    um_per_px = said.um_per_px or known
    if um_per_px is None:
        raise GeometryError(
            f"um/px of {path} is not known: its scale factors have no microns_per_pixel, and {missing}", hint=HINT
        )
    agrees = lattice is not None and abs(um_per_px / lattice.um_per_px - 1) <= DISAGREE
    pitch = said.pitch_um or (lattice.pitch_um if lattice and agrees else _nearest(table, path) * um_per_px)
    spot_um, of_spot = _spot_um(lattice, factors, said, um_per_px=um_per_px, pitch=pitch)
    shape: SpotShape = "square" if "bin_size_um" in factors else "disc"
    notes = (*_doubts(um_per_px, lattice, said), *of_spot)
    return Scale(um_per_px, spot_um, said.spot_shape or shape, pitch, notes)


def _lattice(table: pd.DataFrame, factors: Mapping[str, float], pitch_um: float | None) -> _Lattice:
    if "array_x" not in table.columns:
        raise GeometryError("obs has no array_row and array_col to find a lattice of known pitch by")
    array = table[["array_x", "array_y"]].to_numpy()
    hexagonal = bool((array.sum(axis=1) % 2 == 0).all())
    pitch = pitch_um or factors.get("bin_size_um") or (VISIUM_PITCH_UM if hexagonal else None)
    if pitch is None:
        raise GeometryError("its array positions are no Visium lattice (--set reader.pitch_um=200 for legacy ST)")
    steps = pitch * np.array(HEXAGONAL if hexagonal else (1.0, 1.0))
    fit = fit_affine(array * steps, table[["x_px", "y_px"]].to_numpy())
    um_per_px = lattice_um_per_px(fit, step_um=(1.0, 1.0))
    axes = np.linalg.svd(fit.matrix, compute_uv=False)
    if fit.rms * um_per_px > OFF * pitch or axes[0] > STRETCH * axes[1]:
        raise GeometryError(f"its positions do not follow its array positions as on a lattice of {pitch:g} um")
    return _Lattice(um_per_px, pitch, is_visium=hexagonal and pitch == VISIUM_PITCH_UM)


def _nearest(table: pd.DataFrame, path: Path) -> float:
    pitch = estimate_pitch(table[["x_px", "y_px"]].to_numpy())
    if not pitch > 0:
        raise GeometryError(f"most spots of {path} lie on one another", hint="check obsm['spatial']")
    return pitch


def _doubts(um_per_px: float, lattice: _Lattice | None, said: Sizes) -> tuple[str, ...]:
    if lattice is None or abs(um_per_px / lattice.um_per_px - 1) <= DISAGREE:
        return ()
    source = "as given" if said.um_per_px else "by microns_per_pixel"
    found = f"though the {lattice.pitch_um:g} um pitch of the array says {lattice.um_per_px:.4f}"
    return (f"um/px is {um_per_px:.4g} {source}, {found}",)


def _spot_um(
    lattice: _Lattice | None, factors: Mapping[str, float], said: Sizes, *, um_per_px: float, pitch: float
) -> tuple[float, tuple[str, ...]]:
    """Return how wide a spot is, and how far that is a guess."""
    if said.spot_um:
        return said.spot_um, ()
    if "bin_size_um" in factors:
        return factors["bin_size_um"], (BINS.format(factors["bin_size_um"]),)
    if lattice and lattice.is_visium:
        return VISIUM_SPOT_UM, ()
    diameter = factors.get("spot_diameter_fullres", 0.0) * um_per_px
    width, source = (diameter, "spot_diameter_fullres") if diameter else (pitch, "the distance between neighbours")
    return width, (f"spots are taken to be {width:.3g} um wide, by {source}; --set reader.spot_um=X says it",)
