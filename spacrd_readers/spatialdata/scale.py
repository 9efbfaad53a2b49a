"""Find how many um a unit of the coordinate system is: given, by a lattice, or by what a platform states in um."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from spacrd_core.errors import GeometryError
from spacrd_readers.anndata.groupings import array_positions
from spacrd_readers.anndata.scale import SizeOverrides, find_scale
from spacrd_readers.spatialdata.tables import BIN_NAME

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    import pandas as pd

    from spacrd_core.section.section import SpotShape
    from spacrd_readers.anndata.scale import Scale
    from spacrd_readers.spatialdata.pieces import Pieces
    from spacrd_readers.spatialdata.stated import StatedUnit

HINT = (
    "use --um-per-px X, um per unit of its coordinate system: 1 if that is in um, 0.5 for Stereo-seq, 0.12028 for "
    "CosMx; or --set reader.pitch_um=X for spots on a lattice"
)


@dataclass(frozen=True)
class Sizes:
    """What the user gave of the sizes; None where they are to be measured. ``bin_um`` is the width of bins."""

    um_per_unit: float | None = None
    spot_um: float | None = None
    spot_shape: SpotShape | None = None
    pitch_um: float | None = None
    bin_um: float | None = None


def bin_width(names: Iterable[str], obs: pd.DataFrame) -> float | None:
    """Return the width of Visium HD's bins by the names of a table and its regions; None if it counts other pieces.

    Bins are at every position of their array, Visium's spots at every other one.
    """
    named = next((match for name in names if (match := BIN_NAME.fullmatch(name))), None)
    array = array_positions(obs)
    is_hexagonal = array is not None and bool((array.sum(axis=1) % 2 == 0).all())
    return float(named[1]) if named and not is_hexagonal else None


def find_unit(
    obs: pd.DataFrame, pieces: Pieces, sizes: Sizes, stated: StatedUnit | None, path: Path
) -> tuple[Scale, tuple[str, ...]]:
    """Return the sizes of the pieces, with um per unit of the coordinate system as ``um_per_px``, and notes on that.

    ``stated`` is the unit as the object states it, which sizes of the user and bins go before.

    Raises
    ------
    GeometryError
        If it is unknown.
    """
    if sizes.bin_um or sizes.um_per_unit:
        stated = None
    notes = (f"a unit of the coordinate system is {stated.um:.4g} um, from {stated.source}",) if stated else ()
    factors = {"microns_per_pixel": stated.um} if stated else {}
    if pieces.width:
        factors["spot_diameter_fullres"] = pieces.width
    if sizes.bin_um:
        overrides = SizeOverrides(sizes.um_per_unit, sizes.bin_um, "square", sizes.bin_um)
    else:
        shape = sizes.spot_shape or ("square" if pieces.kind == "point" else None)
        overrides = SizeOverrides(sizes.um_per_unit, sizes.spot_um, shape, sizes.pitch_um)
    table = _lattice_table(obs, pieces)
    try:
        return find_scale(table, factors, overrides, path), notes
    except GeometryError as error:
        if "is unknown" not in str(error):
            raise
        raise GeometryError(
            f"um per unit of the coordinate system of {path} is unknown: its table has no array positions of a known "
            "lattice, and no areas or positions in um",
            hint=HINT,
        ) from error


def _lattice_table(obs: pd.DataFrame, pieces: Pieces) -> pd.DataFrame:
    table = pieces.table[["x", "y"]].set_axis(["x_px", "y_px"], axis=1).reset_index(drop=True)
    array = array_positions(obs)
    return table if array is None else table.join(array)
