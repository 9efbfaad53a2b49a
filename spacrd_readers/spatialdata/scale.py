"""Find how many um a unit of the coordinate system is: given, by a lattice, or by what a platform states in um."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from spacrd_core.errors import GeometryError
from spacrd_core.section.geometry import fit_affine
from spacrd_readers._base import UM_PER_PX_TOLERANCE
from spacrd_readers.anndata.groupings import array_positions, as_numbers
from spacrd_readers.anndata.positions import positions_key, read_positions
from spacrd_readers.anndata.scale import SizeOverrides, find_scale
from spacrd_readers.spatialdata.tables import BIN_NAME

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    import pandas as pd

    from spacrd_core.section.section import SpotShape
    from spacrd_readers.anndata.file import AnnDataFile
    from spacrd_readers.anndata.scale import Scale
    from spacrd_readers.spatialdata.pieces import Pieces

# All names of columns are in lower case.
XENIUM_COLUMNS = {"transcript_counts", "control_probe_counts"}
UM_TABLES = (XENIUM_COLUMNS, {"volume", "fov"}, {"volume", "barcodecount"})  # of tables with obsm['spatial'] in um
AREA_COLUMNS = ("area_um2", "area.um2")  # in um2; `cell_area` is so only of Xenium
MAX_UM_RMS = 5.0  # from the centres of cells as their platform gives them, in um
HINT = (
    "use --um-per-px X, um per unit of its coordinate system: 1 if that is in um, 0.5 for Stereo-seq, 0.12 for CosMx; "
    "or --set reader.pitch_um=X for spots on a lattice"
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
    file: AnnDataFile, obs: pd.DataFrame, pieces: Pieces, sizes: Sizes, path: Path
) -> tuple[Scale, tuple[str, ...]]:
    """Return the sizes of the pieces, with um per unit of the coordinate system as ``um_per_px``, and notes on that.

    Raises
    ------
    GeometryError
        If it is unknown.
    """
    stated, source = (None, "") if sizes.bin_um or sizes.um_per_unit else _stated(file, obs, pieces)
    notes = (f"a unit of the coordinate system is {stated:.4g} um, from {source}",) if stated else ()
    factors = {"microns_per_pixel": stated} if stated else {}
    if pieces.diameter:
        factors["spot_diameter_fullres"] = pieces.diameter
    if sizes.bin_um:
        overrides = SizeOverrides(sizes.um_per_unit, sizes.bin_um, "square", sizes.bin_um)
    else:
        overrides = SizeOverrides(sizes.um_per_unit, sizes.spot_um, sizes.spot_shape, sizes.pitch_um)
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


def _stated(file: AnnDataFile, obs: pd.DataFrame, pieces: Pieces) -> tuple[float | None, str]:
    """Return um per unit as the platform states it, by areas of cells in um2 or by positions in um; and the source."""
    column = _area_column(obs)
    if column and (unit := _by_areas(obs[column], pieces)):
        return unit, f"the areas in obs['{column}']"
    return _by_positions(file, obs, pieces), "the positions in obsm['spatial']"


def _area_column(obs: pd.DataFrame) -> str:
    names = {str(name).casefold(): str(name) for name in obs.columns}
    known = ("cell_area", *AREA_COLUMNS) if names.keys() >= XENIUM_COLUMNS else AREA_COLUMNS
    return next((names[name] for name in known if name in names), "")


def _by_areas(areas: pd.Series[float], pieces: Pieces) -> float | None:
    um2, area = as_numbers(areas).to_numpy(), pieces.table["area"].to_numpy()
    known = (um2 > 0) & (area > 0)
    if not known.any():
        return None
    ratio = float(np.sqrt(np.median(um2[known] / area[known])))
    return 1.0 if abs(ratio - 1) <= UM_PER_PX_TOLERANCE else ratio


def _by_positions(file: AnnDataFile, obs: pd.DataFrame, pieces: Pieces) -> float | None:
    columns = {str(name).casefold() for name in obs.columns}
    if pieces.kind is None or not any(own <= columns for own in UM_TABLES):
        return None
    try:
        um = read_positions(file, file.element("obs").shape[0], positions_key(file)).to_numpy()[pieces.rows]
        fit = fit_affine(pieces.xy, um)
    except (GeometryError, StopIteration):
        return None
    return float(np.sqrt(fit.area)) if fit.rms <= MAX_UM_RMS and fit.area > 0 else None
