"""The cells of a label table, as any spreadsheet, Loupe or R wrote them."""

from __future__ import annotations

import csv
import io
import re
from typing import TYPE_CHECKING

import pandas as pd

from spacrd_core.errors import LabelError

if TYPE_CHECKING:
    from pathlib import Path

WORKBOOKS = (".xlsx", ".xlsm", ".xls", ".ods", ".numbers")
PACKED = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")  # zip and OLE; a text table may well be called .xls
DELIMITERS = "\t,;"
HINT = (
    "give a CSV or TSV with an id (or x and y) column and a label column, bare labels in counts order, "
    "or QuPath's annotations as GeoJSON"
)


def refuse_workbook(path: Path) -> None:
    """Raise a LabelError if the file is a spreadsheet program's own."""
    if path.suffix.casefold() not in WORKBOOKS or not path.is_file():
        return
    with path.open("rb") as stream:
        if stream.read(4) in PACKED:
            raise LabelError(
                f"the label file {path} is a workbook, not a text table",
                hint="save the sheet that holds the labels as CSV and give that",
            )


def read_sheet(text: str, path: Path) -> pd.DataFrame:
    """Return the cells of a table as text, trimmed, below the names of its columns in lower case.

    Raises
    ------
    LabelError
        If it is not a table of one header and rows as wide.
    """
    header, _, body = text.lstrip("\n").partition("\n")
    delimiter = _delimiter(header, path)
    cells = io.BytesIO(body.encode())  # a StringIO would take four bytes a character
    try:
        names = [name.strip().casefold() for name in next(csv.reader([header], delimiter=delimiter))]
        table = pd.read_csv(cells, sep=delimiter, header=None, dtype="string[pyarrow]", keep_default_na=False)
    except pd.errors.EmptyDataError as error:
        raise LabelError(f"the label file {path} has a header and no rows", hint=HINT) from error
    except (pd.errors.ParserError, csv.Error) as error:
        raise LabelError(f"the label file {path} is not a table: {str(error).strip()}", hint=HINT) from error
    if table.shape[1] == len(names) + 1:
        names = ["", *names]  # R's write.table leaves the head of its row names out
    _check(names, table.shape[1], path)
    return table.set_axis(names, axis=1).apply(lambda column: column.str.strip())


def listed(table: pd.DataFrame) -> str:
    """Return the names of a table's columns, for a sentence."""
    return ", ".join(repr(name) for name in table.columns)


def _delimiter(header: str, path: Path) -> str:
    bare = re.sub(r'"[^"]*"', "", header)
    delimiter = max(DELIMITERS, key=bare.count)
    if delimiter not in bare:
        raise LabelError(
            f"the label file {path} has one column only, and it is neither 0/1 numbers nor words that are known",
            hint=HINT,
        )
    return delimiter


def _check(names: list[str], width: int, path: Path) -> None:
    if width != len(names):
        raise LabelError(f"the label file {path} has {width} columns and {len(names)} names in its header", hint=HINT)
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise LabelError(f"the label file {path} has more than one column '{twice[0]}'", hint=HINT)
