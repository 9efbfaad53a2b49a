"""Read a legacy ST spot table (``*_selection.tsv``) and find um/px from its lattice."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from spacrd_core.errors import GeometryError
from spacrd_core.section.geometry import fit_affine, lattice_um_per_px
from spacrd_core.tables import read_text
from spacrd_readers._base import UM_PER_PX_TOLERANCE
from spacrd_readers.st.counts import spot_id

if TYPE_CHECKING:
    from pathlib import Path

PITCH_UM = 200.0
MAX_LATTICE_RMS = 0.3  # in array steps; real sections stay below 0.1
SPOT_COLUMNS = "x, y (or new_x, new_y), pixel_x, pixel_y"


def read_spots(path: Path) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return the selected spots by id (columns ``array_x, array_y, x_px, y_px``), and notes.

    Raises
    ------
    GeometryError
        If the table lacks positions or lists a spot twice.
    """
    text = read_text(path, "spot table", GeometryError)
    try:
        table = pd.read_csv(io.StringIO(text), sep="\t", skipinitialspace=True)
    except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise GeometryError(f"the spot table {path} is not a table: {str(error).strip()}") from error
    table.columns = table.columns.astype(str).str.strip().str.casefold()
    array = ["new_x", "new_y"] if {"new_x", "new_y"} <= set(table.columns) else ["x", "y"]
    missing = [name for name in (*array, "pixel_x", "pixel_y") if name not in table.columns]
    if missing:
        raise GeometryError(
            f"the spot table {path} has no column {', '.join(missing)}",
            hint=f"it needs tab-separated columns {SPOT_COLUMNS}",
        )
    notes: tuple[str, ...] = ()
    if "selected" in table.columns:
        unselected = pd.to_numeric(table["selected"], errors="coerce") == 0
        if unselected.any():
            notes = (f"spots that {path.name} marks as not selected, left out: {unselected.sum()}",)
        table = table[~unselected]
    spots = table[[*array, "pixel_x", "pixel_y"]].apply(pd.to_numeric, errors="coerce").astype(float)
    return _checked(spots.set_axis(["array_x", "array_y", "x_px", "y_px"], axis=1), path), notes


def _checked(spots: pd.DataFrame, path: Path) -> pd.DataFrame:
    if spots.empty:
        raise GeometryError(f"the spot table {path} has no selected spot")
    wrong = ~np.isfinite(spots.to_numpy()).all(axis=1)
    if wrong.any():
        raise GeometryError(
            f"{wrong.sum()} rows of the spot table {path} lack a position, first row {wrong.argmax() + 1}",
            hint=f"complete or remove them; required columns: {SPOT_COLUMNS}",
        )
    ids = pd.Index([spot_id(x, y) for x, y in zip(spots["array_x"], spots["array_y"], strict=True)], dtype=object)
    if not ids.is_unique:
        raise GeometryError(f"the spot table {path} has spot {ids[ids.duplicated()][0]} more than once")
    return spots.set_axis(ids, axis=0)


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


def _fit_um_per_px(spots: pd.DataFrame, path: Path) -> float:
    steps = spots[["array_x", "array_y"]].to_numpy().round()
    fit = fit_affine(steps, spots[["x_px", "y_px"]].to_numpy())
    fitted = lattice_um_per_px(fit, step_um=(PITCH_UM, PITCH_UM))
    rms = fit.rms * fitted / PITCH_UM
    if rms > MAX_LATTICE_RMS:
        raise GeometryError(
            f"the pixel positions of {path} do not follow its array positions: they deviate by {rms:.2f} steps (RMS)"
        )
    return fitted
