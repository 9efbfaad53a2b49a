"""Read a legacy ST spot table: ``*_selection.tsv``, or the names of spots with their px."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from spacrd_core.errors import GeometryError
from spacrd_core.tables import read_text
from spacrd_readers._delimited import are_numbers, read_cells, to_numbers, with_header
from spacrd_readers.st.counts import array_positions, spot_id
from spacrd_readers.st.files import SPOT_ID

if TYPE_CHECKING:
    from pathlib import Path

    from spacrd_core.arrays import Array

ARRAY_COLUMNS = (("new_x", "new_y"), ("x", "y"))
PX_COLUMNS = (("pixel_x", "pixel_y"), ("x_px", "y_px"), ("px_x", "px_y"))
# Spot detectors leave out the header.
HEADERLESS = {
    4: ["x", "y", "pixel_x", "pixel_y"],
    6: ["x", "y", "new_x", "new_y", "pixel_x", "pixel_y"],
    7: ["x", "y", "new_x", "new_y", "pixel_x", "pixel_y", "selected"],
}
SPOT_COLUMNS = "x, y (or new_x, new_y), pixel_x, pixel_y"
COPY_AGAIN = "copy or download it again"
MAX_STEPS_OFF = 1.0  # between a spot's name and its array position


def read_spots(path: Path) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return the selected spots by id (columns ``array_x, array_y, x_px, y_px``), and notes.

    Raises
    ------
    GeometryError
        If the table lacks positions or lists a spot twice.
    """
    table = _read(path)
    notes: tuple[str, ...] = ()
    if "selected" in table.columns:
        unselected = to_numbers(table[["selected"]])["selected"] == 0
        if unselected.any():
            notes = (f"spots that {path.name} marks as not selected, left out: {unselected.sum()}",)
        table = table[~unselected]
    array, px = _positions(table, path)
    spots = pd.DataFrame(np.hstack([array, px]), columns=["array_x", "array_y", "x_px", "y_px"])
    return _checked(spots, path), notes


def _read(path: Path) -> pd.DataFrame:
    """Return the cells of a spot table, with or without a header."""
    text = read_text(path, "spot table", GeometryError)
    try:
        cells = read_cells(text)
    except pd.errors.ParserError as error:
        raise GeometryError(f"the spot table {path} is not a table: {str(error).strip()}", hint=COPY_AGAIN) from error
    if are_numbers(cells.iloc[0]) and cells.shape[1] in HEADERLESS:
        return cells.set_axis(HEADERLESS[cells.shape[1]], axis=1)
    return with_header(cells)


def _positions(table: pd.DataFrame, path: Path) -> tuple[Array, Array]:
    """Return the array positions and the px of every spot, n x 2 each.

    A table with names of spots needs no array positions: its ``x`` and ``y`` are px, unless they repeat the names.
    """
    named = _named_positions(table)
    array, px = (_first_columns(table, columns) for columns in (ARRAY_COLUMNS, PX_COLUMNS))
    if px is None and named is not None and array is not None and _differ(named, array):
        return named, array
    if array is None:
        array = named
    if array is None or px is None:
        lacking = [] if array is not None else [name for name in ("x", "y") if name not in table.columns]
        lacking += [] if px is not None else [name for name in PX_COLUMNS[0] if name not in table.columns]
        raise GeometryError(
            f"the spot table {path} has no column {', '.join(lacking)}",
            hint=f"it needs columns {SPOT_COLUMNS}; or the names of spots, like 10x13, and pixel_x, pixel_y",
        )
    return array, px


def _named_positions(table: pd.DataFrame) -> Array | None:
    """Return the array positions in the first column that holds names of spots."""
    for name in table.columns:
        column = table[name]
        if len(column) and column.str.fullmatch(SPOT_ID.pattern).all():
            return array_positions(column)
    return None


def _first_columns(table: pd.DataFrame, choices: tuple[tuple[str, str], ...]) -> Array | None:
    """Return the numbers of the first pair of columns that a table has."""
    pair = next((pair for pair in choices if set(pair) <= set(table.columns)), None)
    return to_numbers(table[list(pair)]).to_numpy() if pair else None


def _differ(named: Array, array: Array) -> bool:
    return bool(np.nanmedian(np.abs(named - array)) > MAX_STEPS_OFF)


def _checked(spots: pd.DataFrame, path: Path) -> pd.DataFrame:
    if spots.empty:
        raise GeometryError(
            f"the spot table {path} has no selected spot", hint="its column 'selected' must be 1 for some"
        )
    wrong = ~np.isfinite(spots.to_numpy()).all(axis=1)
    if wrong.any():
        raise GeometryError(
            f"{wrong.sum()} rows of the spot table {path} lack a position, first row {wrong.argmax() + 1}",
            hint=f"complete or remove them; required columns: {SPOT_COLUMNS}",
        )
    ids = pd.Index([spot_id(x, y) for x, y in zip(spots["array_x"], spots["array_y"], strict=True)], dtype=object)
    if not ids.is_unique:
        raise GeometryError(
            f"the spot table {path} has spot {ids[ids.duplicated()][0]} more than once", hint="keep one row per spot"
        )
    return spots.set_axis(ids, axis=0)
