"""Read the selections of Xenium Explorer: outlines in um, or the cells inside, below lines that begin with ``#``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from spacrd_core.errors import LabelError
from spacrd_core.labels.delimited import format_columns, read_delimited
from spacrd_core.labels.numbers import parse_numbers
from spacrd_core.labels.outlines import Polygons, repaired, ring

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from spacrd_core.arrays import Array

SELECTION_NAMES = re.compile(r'"?#\s*selection names?:\s*(.*)', re.IGNORECASE)
CELL_COLUMN = "cell id"
EXPORT_HINT = "export the selections from Xenium Explorer again, with their names"


def is_selection(text: str) -> bool:
    """Return whether a text is an export of Xenium Explorer's selections."""
    return bool(SELECTION_NAMES.match(text.lstrip()))


def read_outlines(text: str, path: Path) -> Polygons | None:
    """Return the outlines of selections, with their class or name; None if the file lists cells.

    Raises
    ------
    LabelError
        If the file has neither, or a selection has no name or no area.
    """
    name, table = _parts(text, path)
    if CELL_COLUMN in table.columns:
        return None
    if not {"x", "y"} <= set(table.columns):
        raise LabelError(
            f"the selections {path} have neither X, Y nor Cell ID, only {format_columns(table)}", hint=EXPORT_HINT
        )
    corners = np.column_stack([parse_numbers(table["x"]), parse_numbers(table["y"])])
    if not np.isfinite(corners).all():
        raise LabelError(f"the selections {path} have coordinates that are not numbers", hint=EXPORT_HINT)
    names = _names(table, name, path)
    parts = list(_rings(names.to_numpy(dtype=object), corners))
    outlines = [(text, outline) for text, points in parts if not (outline := ring(points)).is_empty]
    if not outlines:
        raise LabelError(f"the selections {path} have no outline of three corners or more", hint=EXPORT_HINT)
    shapes, repair_notes = repaired([outline for _, outline in outlines], path)
    notes = (f"{path.name}: read as selections of Xenium Explorer, in um", *repair_notes)
    return Polygons(path, shapes, tuple(text for text, _ in outlines), notes, unit="um")


def cells_table(text: str, path: Path) -> str:
    """Return the cells of selections as a label table: a cell id and the name of its selection."""
    name, table = _parts(text, path)
    rows = table.assign(label=_names(table, name, path))
    return "".join([f"{CELL_COLUMN},label\n", rows.to_csv(columns=[CELL_COLUMN, "label"], index=False, header=False)])


def _parts(text: str, path: Path) -> tuple[str, pd.DataFrame]:
    """Return the names in the first line, and the table below the comments."""
    lines = text.lstrip().splitlines()
    match = SELECTION_NAMES.match(lines[0])
    below = next((number for number, line in enumerate(lines) if not line.lstrip('"').startswith("#")), len(lines))
    table = read_delimited("\n".join(lines[below:]) + "\n", path)
    return (match[1].strip().strip('",;') if match else ""), table


def _names(table: pd.DataFrame, name: str, path: Path) -> pd.Series[str]:
    """Return the class of every row, or where it has none the name of its selection."""
    if "selection" not in table.columns:
        if not name:
            raise LabelError(f"the selection {path} has no name", hint=EXPORT_HINT)
        return pd.Series(name, index=table.index)
    names = table["selection"]
    return table["class"].where(table["class"] != "", names) if "class" in table.columns else names


def _rings(names: Array, corners: Array) -> Iterator[tuple[str, Array]]:
    """Return the rings of a list of corners: one ends where the name changes or its first corner returns."""
    first = 0
    for row in range(len(corners)):
        is_last = row + 1 == len(corners) or names[row + 1] != names[row]
        is_closed = row > first + 1 and (corners[row] == corners[first]).all()
        if is_last or is_closed:
            yield str(names[first]), corners[first : row + 1]
            first = row + 1
