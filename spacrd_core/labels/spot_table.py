"""Read the labels of spots from text: a table by id or by array position, or a list in counts order."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from spacrd_core.errors import LabelError
from spacrd_core.labels.coordinates import COORDINATE_COLUMNS
from spacrd_core.labels.delimited import LAYOUT_HINT, format_columns, read_delimited
from spacrd_core.labels.ids import as_series, as_text
from spacrd_core.labels.numbers import is_blank_number, parse_numbers
from spacrd_core.labels.sections import (
    SECTION_COLUMNS,
    choose_by_column,
    choose_by_marker,
    marker_counts,
    without_marker,
)
from spacrd_core.labels.vocabulary import BLANK_WORDS, fold, is_known
from spacrd_core.quoting import shortened

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from spacrd_core.arrays import Array

ID_COLUMNS = ("spot_id", "barcode", "barcodes", "cell_id", "cell id", "bin_id", "id", "spot", "cell", "bin")
INDEX_COLUMNS = ("",)  # header of row names in files of pandas and R
LABEL_COLUMNS = ("label", "labels", "annotation", "annotations", "pathology", "cell_type", "celltype", "cell type")
OTHER_COLUMNS = frozenset(
    (*COORDINATE_COLUMNS, *INDEX_COLUMNS, "in_tissue", "color", "colour")
)  # columns that are never the label
NUMBER = re.compile(r"[+-]?\d+(\.\d*)?")


@dataclass(frozen=True)
class LabelTable:
    """The labels of a file, as text.

    Attributes
    ----------
    kind
        How a row identifies its spot: by ``id``, by array position ``x``, ``y``, or by order in the file (``vector``).
    rows
        Columns ``value`` (categorical) and, by kind, ``id`` or ``x``, ``y``; ``contested`` if the file labels the spot
        twice. A table by ids keeps its coordinate columns under their own names.
    notes
        Sentences on irregularities in the file.
    drawn
        Whether the rows are the cells inside drawn outlines, so that cells without a row are outside, not unknown.
    """

    path: Path
    kind: Literal["ids", "positions", "vector"]
    rows: pd.DataFrame
    notes: tuple[str, ...] = ()
    drawn: bool = False


def read_table(text: str, path: Path, section: str = "") -> LabelTable:
    """Return the labels of a table or list; of a table of several sections, those of ``section``.

    Raises
    ------
    LabelError
        If its layout is unknown, or it has several sections and none is chosen.
    """
    if (values := _vector(text)) is not None:
        if section:
            raise LabelError(f"the label file {path} is a list of one section", hint="leave out --label-section")
        return LabelTable(path, "vector", _rows(pd.Series(values), contested=False))
    table = read_delimited(text, path)
    positioned = {"x", "y"} <= set(table.columns)
    column = _first(table, ID_COLUMNS if positioned else ID_COLUMNS + INDEX_COLUMNS)
    if column is not None:
        return _by_id(table, column, section, path)
    if positioned:
        return _by_position(table, section, path)
    raise LabelError(
        f"the label file {path} has no id column and no x, y columns, only {format_columns(table)}", hint=LAYOUT_HINT
    )


def _vector(text: str) -> list[str] | None:
    """Return the labels of a file without other columns: whitespace-separated numbers, or one known text per line."""
    if all(NUMBER.fullmatch(token[0]) or fold(token[0]) in BLANK_WORDS for token in re.finditer(r"\S+", text)):
        return text.split()
    lines = text.splitlines()
    return lines if all(is_known(line) for line in lines) else None


def _by_id(table: pd.DataFrame, column: str, section: str, path: Path) -> LabelTable:
    value = _label_column(table, {column}, path)
    by_column = _section_column(table, {column, value})
    if section and by_column is None:
        mask, ids, notes = choose_by_marker(as_text(table[column]), section, path)
        table = table.assign(**{column: as_series(ids)})[mask].reset_index(drop=True)
    else:
        table, notes = choose_by_column(table, by_column, section, path)
        if section and len(marker_counts(ids := as_text(table[column]))) == 1:
            table = table.assign(**{column: as_series(without_marker(ids))})  # the user has named the section
    coordinates = {name: table[name] for name in table.columns if name in COORDINATE_COLUMNS and name != value}
    numbers = {name: parse_numbers(cells) for name, cells in coordinates.items()}
    rows = _rows(table[value], id=table[column], **numbers)
    notes = (*notes, *_number_notes(coordinates, numbers, path))
    return _require_one_label(LabelTable(path, "ids", rows, notes), ["id"])


def _number_notes(
    coordinates: Mapping[str, pd.Series[str]], numbers: Mapping[str, Array], path: Path
) -> tuple[str, ...]:
    """Return a note on every coordinate column with texts that are not numbers, which cannot be compared."""
    texts = {name: cells[np.isnan(numbers[name]) & ~is_blank_number(cells)] for name, cells in coordinates.items()}
    return tuple(
        f"{path.name}: not compared: {len(cells)} cells of the column {shortened(name)} that are not numbers "
        f"('{shortened(cells.iloc[0])}')"
        for name, cells in texts.items()
        if len(cells)
    )


def _by_position(table: pd.DataFrame, section: str, path: Path) -> LabelTable:
    """Return rows by x, y; her2st gives second labels in rows without a position, named with an appended 1."""
    value = _label_column(table, {"x", "y"}, path)
    table, section_notes = choose_by_column(table, _section_column(table, {"x", "y", value}), section, path)
    rows = _rows(table[value], x=_numbers(table["x"], path), y=_numbers(table["y"], path))
    unplaced = rows["x"].isna() | rows["y"].isna()
    names = table["row.names"] if "row.names" in table.columns else pd.Series("", index=table.index)
    seconds = names[unplaced].str.removesuffix("1")
    contested = names.isin(set(seconds[names[unplaced].str.endswith("1")])) & ~unplaced
    notes = [*section_notes]
    if unplaced.any():
        seconds_note = f"second labels of {contested.sum()} spots"
        notes.append(f"{path.name}: rows without a position, left out: {unplaced.sum()}, {seconds_note}")
    placed = rows.assign(contested=contested)[~unplaced].reset_index(drop=True)
    return _require_one_label(LabelTable(path, "positions", placed, tuple(notes)), ["x", "y"])


def _rows(value: pd.Series[str], **columns: object) -> pd.DataFrame:
    return pd.DataFrame({**columns, "value": value.astype("category")})


def _label_column(table: pd.DataFrame, used: Collection[str], path: Path) -> str:
    named = _first(table, LABEL_COLUMNS)
    rest = [name for name in table.columns if name not in used]
    candidates = [name for name in rest if name not in OTHER_COLUMNS and name not in SECTION_COLUMNS]
    if named is None and 1 in (len(rest), len(candidates)):
        return str(rest[0] if len(rest) == 1 else candidates[0])
    if named is None:
        raise LabelError(
            f"none of the columns {format_columns(table)} of the label file {path} is named label",
            hint="rename the label column to 'label'",
        )
    return named


def _first(table: pd.DataFrame, names: tuple[str, ...]) -> str | None:
    return next((name for name in names if name in table.columns), None)


def _section_column(table: pd.DataFrame, used: Collection[str]) -> str | None:
    return next((name for name in SECTION_COLUMNS if name in table.columns and name not in used), None)


def _numbers(cells: pd.Series[str], path: Path) -> Array:
    numbers = parse_numbers(cells)
    invalid = cells[np.isnan(numbers) & ~is_blank_number(cells)]
    if len(invalid):
        raise LabelError(
            f"the label file {path} has '{shortened(invalid.iloc[0])}' where a position was expected", hint=LAYOUT_HINT
        )
    return numbers


def _require_one_label(table: LabelTable, keys: list[str]) -> LabelTable:
    """Return the table with one row per spot; a spot with two different labels is refused."""
    rows = table.rows.assign(contested=table.rows.get("contested", False)).drop_duplicates([*keys, "value"])
    ambiguous = rows[rows.duplicated(keys, keep=False)]
    if len(ambiguous):
        values = " and ".join(f"'{shortened(value)}'" for value in ambiguous["value"].iloc[:2])
        unit = "ids" if table.kind == "ids" else "spots"
        raise LabelError(
            f"the label file {table.path} has two labels for {len(ambiguous[keys].drop_duplicates())} {unit}, "
            f"for example {' '.join(shortened(ambiguous.iloc[0][key]) for key in keys)}: {values}",
            hint=f"leave one row per {'id' if table.kind == 'ids' else 'spot'}",
        )
    return LabelTable(table.path, table.kind, rows.reset_index(drop=True), table.notes)
