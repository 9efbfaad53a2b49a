"""Tables of numbers as spreadsheets write them: tabs, commas or semicolons, with decimal points or commas."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd

from spacrd_core.tables import find_delimiter, split_header

MAX_COLUMNS, MAX_ROWS = 1000, 1_000_000  # a table of positions has ten columns and 15,000 rows
DECIMAL_COMMA = r"^([+-]?\d+),(\d+)$"


def read_cells(text: str) -> pd.DataFrame:
    """Return the cells of a table as stripped text; the first row may be a header.

    Raises
    ------
    pandas.errors.ParserError
        If it is not a table.
    """
    lines = text.lstrip()
    delimiter = find_delimiter(lines.partition("\n")[0])
    first, body = split_header(lines, delimiter)
    if body.count("\n") > MAX_ROWS:
        raise pd.errors.ParserError(f"it has more than {MAX_ROWS:,} rows")
    second = body.lstrip("\n").partition("\n")[0].count(delimiter) + 1
    if max(len(first), second) > MAX_COLUMNS:
        raise pd.errors.ParserError(f"a row has {max(len(first), second)} cells: are its line breaks missing?")
    if not body.strip():
        return pd.DataFrame([first])
    try:
        cells = pd.read_csv(io.StringIO(body), sep=delimiter, header=None, dtype=str, na_filter=False)
    except (ValueError, MemoryError) as error:  # of quotes without an end, or of a NUL
        raise pd.errors.ParserError(str(error) or "it does not fit into memory") from error
    if len(first) == cells.shape[1] - 1:
        first = ["", *first]  # R's write.table omits the header of row names
    if len(first) != cells.shape[1]:
        raise pd.errors.ParserError(f"its first row has {len(first)} cells, the others {cells.shape[1]}")
    cells.columns = pd.RangeIndex(len(first))
    return pd.concat([pd.DataFrame([first]), cells], ignore_index=True).apply(lambda column: column.str.strip())


def with_header(cells: pd.DataFrame) -> pd.DataFrame:
    """Return the rows below the first one, which names the columns; names are in lower case."""
    names = [str(name).casefold() for name in cells.iloc[0]]
    return cells.iloc[1:].set_axis(names, axis=1).reset_index(drop=True)


def to_numbers(cells: pd.DataFrame) -> pd.DataFrame:
    """Return text as numbers, with decimal points or commas; NaN where a cell is not a number."""
    points = cells.apply(lambda column: column.map(str).str.replace(DECIMAL_COMMA, r"\1.\2", regex=True))
    return points.apply(pd.to_numeric, errors="coerce").astype(np.float64)


def are_numbers(row: pd.Series[str]) -> bool:
    """Return whether all cells of a row are numbers."""
    return bool(to_numbers(row.to_frame()).notna().to_numpy().all())
