"""Read a label file of any layout we know: by id, by array position, a bare vector in counts order, or polygons."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import pandas as pd

from spacrd_core.errors import LabelError
from spacrd_core.labels.coordinates import COLUMNS
from spacrd_core.labels.delimited import HINT, listed, read_sheet, refuse_workbook
from spacrd_core.labels.qupath import Polygons, read_polygons
from spacrd_core.labels.vocabulary import BLANK_WORDS, fold, is_known
from spacrd_core.tables import read_text

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

IDS = ("spot_id", "barcode", "barcodes", "cell_id", "cell id", "bin_id", "id", "spot", "cell", "bin")
INDEX = ("",)  # what pandas and R write above row names
LABELS = ("label", "labels", "annotation", "annotations", "pathology", "cell_type", "celltype", "cell type")
BESIDE = frozenset((*COLUMNS, *INDEX, "in_tissue", "color", "colour"))  # columns that are never the label
NUMBER = re.compile(r"[+-]?\d+(\.\d*)?")


@dataclass(frozen=True)
class LabelTable:
    """The labels of a file, as text.

    Attributes
    ----------
    kind
        What tells a row's spot: its ``id``, its array position ``x``, ``y``, or its place in the file (``vector``).
    rows
        Columns ``value`` (categorical) and, by kind, ``id`` or ``x``, ``y``; ``contested`` where the file labels the
        spot twice. A table by ids keeps the coordinates it carries, under their own names.
    notes
        What was odd in the file.
    """

    path: Path
    kind: Literal["ids", "positions", "vector"]
    rows: pd.DataFrame
    notes: tuple[str, ...] = ()


def read_labels(path: Path) -> LabelTable | Polygons:
    """Return the labels of a file.

    Raises
    ------
    LabelError
        If its layout is not one we know.
    """
    refuse_workbook(path)
    text = read_text(path, "label file", LabelError)
    if text.lstrip()[0] in "{[":
        return read_polygons(text, path)
    if (values := _vector(text)) is not None:
        return LabelTable(path, "vector", _rows(pd.Series(values), contested=False))
    table = read_sheet(text, path)
    positioned = {"x", "y"} <= set(table.columns)
    column = _first(table, IDS if positioned else IDS + INDEX)
    if column is not None:
        return _by_id(table, column, path)
    if positioned:
        return _by_position(table, path)
    raise LabelError(f"the label file {path} has no id column and no x, y columns, but {listed(table)}", hint=HINT)


def _vector(text: str) -> list[str] | None:
    """Return the labels of a file that holds nothing else: numbers however spaced, or a known word a line."""
    if all(NUMBER.fullmatch(token[0]) or fold(token[0]) in BLANK_WORDS for token in re.finditer(r"\S+", text)):
        return text.split()
    lines = text.splitlines()
    return lines if all(is_known(line) for line in lines) else None


def _by_id(table: pd.DataFrame, column: str, path: Path) -> LabelTable:
    value = table[_label_column(table, {column}, path)]
    coordinates = {
        name: pd.to_numeric(table[name], errors="coerce").to_numpy(dtype=float, na_value=float("nan"))
        for name in table.columns
        if name in COLUMNS and name != value.name
    }
    return _once(LabelTable(path, "ids", _rows(value, id=table[column], **coordinates)), ["id"])


def _by_position(table: pd.DataFrame, path: Path) -> LabelTable:
    """Return rows by x, y; her2st labels a spot a second time by a row without a position, its name extended by a 1."""
    value = table[_label_column(table, {"x", "y"}, path)]
    rows = _rows(value, x=_numbers(table["x"], path), y=_numbers(table["y"], path))
    lost = rows["x"].isna() | rows["y"].isna()
    names = table["row.names"] if "row.names" in table.columns else pd.Series("", index=table.index)
    seconds = names[lost].str.removesuffix("1")
    contested = names.isin(set(seconds[names[lost].str.endswith("1")])) & ~lost
    notes = []
    if lost.any():
        notes.append(
            f"{path.name}: rows without a position, left out: {lost.sum()}, second labels of {contested.sum()} spots"
        )
    found = rows.assign(contested=contested)[~lost].reset_index(drop=True)
    return _once(LabelTable(path, "positions", found, tuple(notes)), ["x", "y"])


def _rows(value: pd.Series[str], **columns: object) -> pd.DataFrame:
    return pd.DataFrame({**columns, "value": value.astype("category")})


def _label_column(table: pd.DataFrame, others: Collection[str], path: Path) -> str:
    named = _first(table, LABELS)
    rest = [name for name in table.columns if name not in others]
    free = [name for name in rest if name not in BESIDE]
    if named is None and 1 in (len(rest), len(free)):
        return str(rest[0] if len(rest) == 1 else free[0])
    if named is None:
        raise LabelError(
            f"none of the columns {listed(table)} of the label file {path} is called label",
            hint="rename one to 'label'",
        )
    return named


def _first(table: pd.DataFrame, names: tuple[str, ...]) -> str | None:
    return next((name for name in names if name in table.columns), None)


def _numbers(cells: pd.Series[str], path: Path) -> pd.Series[float]:
    numbers = pd.to_numeric(cells.where(~cells.str.casefold().isin(["", "na", "nan"])), errors="coerce")
    wrong = cells[numbers.isna() & ~cells.str.casefold().isin(["", "na", "nan"])]
    if len(wrong):
        raise LabelError(f"the label file {path} has '{wrong.iloc[0]}' where a position was expected", hint=HINT)
    return numbers.astype(float)


def _once(table: LabelTable, keys: list[str]) -> LabelTable:
    """Return the table with each spot once; a spot with two different labels is refused."""
    rows = table.rows.assign(contested=table.rows.get("contested", False)).drop_duplicates([*keys, "value"])
    twice = rows[rows.duplicated(keys, keep=False)]
    if len(twice):
        some = " and ".join(f"'{value}'" for value in twice["value"].iloc[:2])
        things = "ids" if table.kind == "ids" else "spots"
        raise LabelError(
            f"the label file {table.path} has two labels for {len(twice[keys].drop_duplicates())} {things}, "
            f"{' '.join(str(twice.iloc[0][key]) for key in keys)} for one: {some}",
            hint=f"leave one row {'an id' if table.kind == 'ids' else 'a spot'}",
        )
    return LabelTable(table.path, table.kind, rows.reset_index(drop=True), table.notes)
