"""Read a label file of any layout we know: by spot id, by array position, or a bare vector in counts order."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import pandas as pd

from spacrd_core.errors import LabelError
from spacrd_core.tables import read_text, split_header

if TYPE_CHECKING:
    from pathlib import Path

IDS = ("spot_id", "barcode", "barcodes", "cell_id", "id", "spot", "cell")
INDEX = ("",)  # what pandas and R write above row names
LABELS = ("label", "labels", "annotation", "annotations", "pathology")
NUMBER = re.compile(r"[+-]?\d+(\.\d*)?")
HINT = "give a CSV or TSV with an id (or x and y) column and a label column, or bare 0/1 values in counts order"


@dataclass(frozen=True)
class LabelTable:
    """The labels of a file, as text.

    Attributes
    ----------
    kind
        What tells a row's spot: its ``id``, its array position ``x``, ``y``, or its place in the file (``vector``).
    rows
        Columns ``value`` and, by kind, ``id`` or ``x``, ``y``; ``contested`` where the file labels the spot twice.
    notes
        What was odd in the file.
    """

    path: Path
    kind: Literal["ids", "positions", "vector"]
    rows: pd.DataFrame
    notes: tuple[str, ...] = ()


def read_labels(path: Path) -> LabelTable:
    """Return the labels of a file.

    Raises
    ------
    LabelError
        If its layout is not one we know.
    """
    text = read_text(path, "label file", LabelError)
    tokens = text.split()
    if all(NUMBER.fullmatch(token) for token in tokens):
        return LabelTable(path, "vector", pd.DataFrame({"value": tokens, "contested": False}))
    table = _table(text, path)
    positioned = {"x", "y"} <= set(table.columns)
    column = _first(table, IDS if positioned else IDS + INDEX)
    if column is not None:
        rows = pd.DataFrame({"id": table[column], "value": table[_label_column(table, {column}, path)]})
        return _once(LabelTable(path, "ids", rows), ["id"])
    if positioned:
        return _by_position(table, path)
    raise LabelError(f"the label file {path} has no id column and no x, y columns, but {_listed(table)}", hint=HINT)


def _table(text: str, path: Path) -> pd.DataFrame:
    first = text.partition("\n")[0]
    delimiter = max("\t,;", key=first.count)
    if delimiter not in first:
        raise LabelError(f"the label file {path} has one column only, and it is not 0/1 numbers", hint=HINT)
    header, body = split_header(text, delimiter)
    names = [name.casefold() for name in header]
    try:
        table = pd.read_csv(io.StringIO(body), sep=delimiter, header=None, dtype=str, keep_default_na=False)
    except pd.errors.EmptyDataError as error:
        raise LabelError(f"the label file {path} has a header and no rows", hint=HINT) from error
    except pd.errors.ParserError as error:
        raise LabelError(f"the label file {path} is not a table: {str(error).strip()}", hint=HINT) from error
    if table.shape[1] == len(names) + 1:
        names = ["", *names]  # R's write.table leaves the head of its row names out
    if table.shape[1] != len(names):
        raise LabelError(
            f"the label file {path} has {table.shape[1]} columns and {len(names)} names in its header", hint=HINT
        )
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise LabelError(f"the label file {path} has more than one column '{twice[0]}'", hint=HINT)
    return table.set_axis(names, axis=1).map(str.strip)


def _first(table: pd.DataFrame, names: tuple[str, ...]) -> str | None:
    return next((name for name in names if name in table.columns), None)


def _listed(table: pd.DataFrame) -> str:
    return ", ".join(repr(name) for name in table.columns)


def _label_column(table: pd.DataFrame, others: set[str], path: Path) -> str:
    named = _first(table, LABELS)
    rest = [name for name in table.columns if name not in others]
    if named is None and len(rest) == 1:
        return str(rest[0])
    if named is None:
        raise LabelError(
            f"none of the columns {_listed(table)} of the label file {path} is called label",
            hint="rename one to 'label'",
        )
    return named


def _by_position(table: pd.DataFrame, path: Path) -> LabelTable:
    """Return rows by x, y; her2st labels a spot a second time by a row without a position, its name extended by a 1."""
    value = table[_label_column(table, {"x", "y"}, path)]
    rows = pd.DataFrame({"x": _numbers(table["x"], path), "y": _numbers(table["y"], path), "value": value})
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
        raise LabelError(
            f"the label file {table.path} has two labels for {len(twice[keys].drop_duplicates())} spots, "
            f"{' '.join(str(twice.iloc[0][key]) for key in keys)} for one: {some}",
            hint="leave one row a spot",
        )
    return LabelTable(table.path, table.kind, rows.reset_index(drop=True), table.notes)
