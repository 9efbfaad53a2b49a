"""Read a legacy ST spot table (``*_selection.tsv``) and find um/px from its lattice."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from spacrd_core.errors import GeometryError
from spacrd_core.section.geometry import fit_affine, lattice_um_per_px
from spacrd_core.tables import read_text
from spacrd_readers.st.counts import spot_id

if TYPE_CHECKING:
    from pathlib import Path

PITCH_UM = 200.0
LATTICE_RMS = 0.3  # array steps; real sections stay under 0.1
DISAGREE = 0.03
COLUMNS = "x, y (or new_x, new_y), pixel_x, pixel_y"


def read_spots(path: Path) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return the selected spots by id (columns ``array_x, array_y, x_px, y_px``) and what the user should know.

    Raises
    ------
    GeometryError
        If the table lacks positions or has a spot twice.
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
            hint=f"it needs tab-separated columns {COLUMNS}",
        )
    notes: tuple[str, ...] = ()
    if "selected" in table.columns:
        out = pd.to_numeric(table["selected"], errors="coerce") == 0
        notes = (f"spots that {path.name} marks as not selected, left out: {out.sum()}",) if out.any() else ()
        table = table[~out]
    spots = table[[*array, "pixel_x", "pixel_y"]].apply(pd.to_numeric, errors="coerce").astype(float)
    return _checked(spots.set_axis(["array_x", "array_y", "x_px", "y_px"], axis=1), path), notes


def _checked(spots: pd.DataFrame, path: Path) -> pd.DataFrame:
    if spots.empty:
        raise GeometryError(f"the spot table {path} has no selected spot")
    wrong = ~np.isfinite(spots.to_numpy()).all(axis=1)
    if wrong.any():
        raise GeometryError(
            f"{wrong.sum()} rows of the spot table {path} lack a number for a position, first row {wrong.argmax() + 1}",
            hint=f"complete or remove them; columns needed: {COLUMNS}",
        )
    ids = pd.Index([spot_id(x, y) for x, y in zip(spots["array_x"], spots["array_y"], strict=True)], dtype=object)
    if not ids.is_unique:
        raise GeometryError(f"the spot table {path} has spot {ids[ids.duplicated()][0]} more than once")
    return spots.set_axis(ids, axis=0)


def um_per_px(spots: pd.DataFrame, given: float | None, path: Path) -> tuple[float, tuple[str, ...]]:
    """Return um/px by the 200 um pitch of the array, or as given, and a note where the two disagree.

    Raises
    ------
    GeometryError
        If the spots show no lattice and nothing was given.
    """
    try:
        fitted = _fitted(spots, path)
    except GeometryError as error:
        if given is None:
            raise GeometryError(f"um/px is not known: {error}", hint="--um-per-px X") from error
        return given, (f"um/px is {given:g} as given; it could not be checked: {error}",)
    if given is None:
        return fitted, ()
    if abs(given / fitted - 1) <= DISAGREE:
        return given, ()
    return given, (f"um/px is {given:g} as given, though the 200 um pitch of the array says {fitted:.4f}",)


def _fitted(spots: pd.DataFrame, path: Path) -> float:
    whole = spots[["array_x", "array_y"]].to_numpy().round()
    fit = fit_affine(whole, spots[["x_px", "y_px"]].to_numpy())
    found = lattice_um_per_px(fit, step_um=(PITCH_UM, PITCH_UM))
    off = fit.rms * found / PITCH_UM
    if off > LATTICE_RMS:
        raise GeometryError(
            f"the pixel positions of {path} do not follow its array positions: {off:.2f} steps off on average"
        )
    return found
