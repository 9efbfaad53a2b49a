"""Read delimited label tables, as written by spreadsheets, Loupe or R."""

from __future__ import annotations

import csv
import io
import re
from typing import TYPE_CHECKING

import pandas as pd

from spacrd_core.errors import LabelError
from spacrd_core.quoting import listed, shortened

if TYPE_CHECKING:
    from pathlib import Path

WORKBOOK_SUFFIXES = (".xlsx", ".xlsm", ".xls", ".ods", ".numbers")
WORKBOOK_MAGIC = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")  # zip and OLE; a text table may have the suffix .xls
MAX_COLUMNS = 5000  # beside its labels, an export may hold a few hundred facts of every spot
DELIMITERS = "\t,;"
LAYOUT_HINT = (
    "give a CSV or TSV with an id column (or x and y) and a label column, a list of labels in counts order, "
    "or QuPath annotations as GeoJSON"
)


def refuse_workbook(path: Path) -> None:
    """Raise a LabelError if the file is a spreadsheet workbook."""
    if path.suffix.casefold() not in WORKBOOK_SUFFIXES or not path.is_file():
        return
    with path.open("rb") as stream:
        if stream.read(4) in WORKBOOK_MAGIC:
            raise LabelError(
                f"the label file {path} is a workbook, not a text table",
                hint="save the sheet with the labels as CSV and give that file",
            )


def read_delimited(text: str, path: Path) -> pd.DataFrame:
    """Return a table's cells as stripped text, with column names in lower case.

    Raises
    ------
    LabelError
        If it is not a table of one header and rows of the same width.
    """
    header, _, body = text.lstrip("\n").partition("\n")
    delimiter = _delimiter(header, path)
    for line in (header, body.lstrip("\n").partition("\n")[0]):
        if line.count(delimiter) >= MAX_COLUMNS:
            raise LabelError(
                f"a line of the label file {path} has {line.count(delimiter) + 1} cells: are its line breaks missing?",
                hint=LAYOUT_HINT,
            )
    cells = io.BytesIO(body.encode())  # a StringIO would need four bytes per character
    try:
        names = [name.strip().casefold() for name in next(csv.reader([header], delimiter=delimiter))]
        table = pd.read_csv(cells, sep=delimiter, header=None, dtype="string[pyarrow]", keep_default_na=False)
    except pd.errors.EmptyDataError as error:
        raise LabelError(f"the label file {path} has a header but no rows", hint=LAYOUT_HINT) from error
    except (csv.Error, ValueError, MemoryError) as error:  # pandas' errors are ValueErrors
        raise LabelError(f"the label file {path} is not a table: {str(error).strip()}", hint=LAYOUT_HINT) from error
    if table.shape[1] == len(names) + 1:
        names = ["", *names]  # R's write.table omits the header of row names
    _require_unique_columns(names, table.shape[1], path)
    return table.set_axis(names, axis=1).apply(lambda column: column.str.strip())


def format_columns(table: pd.DataFrame) -> str:
    """Return the names of a table's columns for a message."""
    return listed(map(repr, table.columns))


def _delimiter(header: str, path: Path) -> str:
    bare = re.sub(r'"[^"]*"', "", header)
    delimiter = max(DELIMITERS, key=bare.count)
    if delimiter not in bare:
        raise LabelError(
            f"the label file {path} has only one column, which is neither 0/1 numbers nor known label texts",
            hint=LAYOUT_HINT,
        )
    return delimiter


def _require_unique_columns(names: list[str], width: int, path: Path) -> None:
    if width != len(names):
        raise LabelError(
            f"the label file {path} has {width} columns but {len(names)} names in its header", hint=LAYOUT_HINT
        )
    if repeated := sorted({name for name in names if names.count(name) > 1}):
        raise LabelError(f"the label file {path} has more than one column '{shortened(repeated[0])}'", hint=LAYOUT_HINT)
