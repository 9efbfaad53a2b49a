"""Read a table of numbers with named rows and columns.

A column per gene would cost most of the time: pandas makes a Series of each of 15,000 genes. A plain table is read as
one long column of numbers.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from spacrd_core.errors import CountsError
from spacrd_core.genes.clean import is_ensembl_id
from spacrd_core.quoting import shortened
from spacrd_core.tables import find_delimiter, read_text, split_header

if TYPE_CHECKING:
    from pathlib import Path

    from spacrd_core.arrays import Array

COUNTS_HINT = "give a table (TSV or CSV) of raw counts: spots named like 10x13 along one axis, genes along the other"
MAX_COLUMNS, MAX_SURPLUS = 200_000, 100  # genes and their names; delimiters in quotes


class Table(NamedTuple):
    """The names of the rows and of the columns, and rows x columns ``values``."""

    rows: list[str]
    columns: list[str]
    values: Array


def read_table(path: Path) -> Table:
    """Return a counts table in the orientation of the file.

    Raises
    ------
    CountsError
        If the file is not a table of numbers.
    """
    text = read_text(path, "counts table", CountsError)
    delimiter = find_delimiter(text.partition("\n")[0])
    header, body = split_header(text, delimiter)
    plain = _read_plain(body, delimiter)
    if plain is None:
        return _read_frame(header, body, delimiter, path)
    rows, values = plain
    return Table(rows, _column_names(header, values.shape[1], path), values)


def _read_plain(body: str, delimiter: str) -> tuple[list[str], Array] | None:
    """Return the names of the rows and the numbers; None unless all cells but the first of each row are numbers."""
    cells = [line.rstrip("\r").partition(delimiter) for line in body.split("\n") if line.strip("\r")]
    columns = {numbers.count(delimiter) + 1 for _, _, numbers in cells}
    if len(columns) != 1:
        return None
    numbers = "\n".join(numbers for _, _, numbers in cells).replace(delimiter, "\n")
    shape = len(cells), columns.pop()
    try:
        values = pd.read_csv(io.StringIO(numbers), header=None, dtype=np.float64, na_filter=False)[0].to_numpy()
    except (ValueError, pd.errors.EmptyDataError, pd.errors.ParserError):
        return None
    if len(values) != shape[0] * shape[1]:
        return None
    return [name.strip('"') for name, _, _ in cells], values.reshape(shape)


def _read_frame(header: list[str], body: str, delimiter: str, path: Path) -> Table:
    """Return a table with two columns of names, or with delimiters in quotes; refuse one with other text."""
    columns = body.lstrip("\n").partition("\n")[0].count(delimiter) + 1
    if columns > min(MAX_COLUMNS, MAX_SURPLUS + 2 * len(header)):
        raise CountsError(
            f"the counts table {path} has {len(header)} names in its header, and {columns} cells in its first row",
            hint=COUNTS_HINT,
        )
    try:
        frame = pd.read_csv(
            io.StringIO(body),
            sep=delimiter,
            header=None,
            index_col=0,
            dtype={0: str},
            na_filter=False,
            low_memory=False,
        )
    except pd.errors.EmptyDataError as error:
        raise CountsError(f"the counts table {path} has a header but no rows", hint=COUNTS_HINT) from error
    except (ValueError, MemoryError, OverflowError) as error:  # pandas' errors are ValueErrors
        raise CountsError(f"the counts table {path} is not a table: {str(error).strip()}", hint=COUNTS_HINT) from error
    frame = _join_names(frame.set_axis(_column_names(header, frame.shape[1], path), axis=1))
    _require_numbers(frame, path)
    return Table([str(name) for name in frame.index], [str(name) for name in frame.columns], frame.to_numpy())


def _column_names(header: list[str], columns: int, path: Path) -> list[str]:
    """Return the names of the columns of numbers; R omits the cell above the names of the rows."""
    names = header[1:] if len(header) == columns + 1 else header
    if not columns or len(names) != columns:
        raise CountsError(
            f"the header of the counts table {path} has {len(header)} names for {columns + 1} columns",
            hint=COUNTS_HINT,
        )
    return names


def _join_names(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a table whose rows are named in two columns, by symbol and Ensembl id, with both names in the first."""
    second = frame.iloc[:, 0]
    if second.dtype.kind in "iuf" or not any(map(is_ensembl_id, (*second.astype(str), *frame.index))):
        return frame
    names = [f"{name} {other}" for name, other in zip(frame.index, second, strict=True)]
    return frame.iloc[:, 1:].set_axis(names, axis=0)


def _require_numbers(frame: pd.DataFrame, path: Path) -> None:
    for index, dtype in enumerate(frame.dtypes):
        if dtype.kind not in "iuf":
            column = frame.iloc[:, index]
            row = int(pd.to_numeric(column, errors="coerce").isna().argmax())
            raise CountsError(
                f"the counts table {path} has '{shortened(column.iloc[row])}' where a number was expected "
                f"(row {frame.index[row]}, column {frame.columns[index]})",
                hint=COUNTS_HINT,
            )
