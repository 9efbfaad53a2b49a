"""Read the positions of a capture area's spots: ``tissue_positions*.csv`` or ``.parquet``, with or without a header.

Neither the name nor the version determines whether there is a header: some ``_list`` files have one, others do not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from pyarrow import parquet

from spacrd_core.errors import GeometryError
from spacrd_core.opening.kinds import refuse_special
from spacrd_core.opening.names import as_bytes
from spacrd_core.tables import read_text
from spacrd_readers._delimited import are_numbers, read_cells, to_numbers, with_header
from spacrd_readers._parquet import DAMAGED_PARQUET_ERRORS, MAX_SPOTS, read_columns

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

POSITION_COLUMNS = ("barcode", "in_tissue", "array_row", "array_col", "pxl_row_in_fullres", "pxl_col_in_fullres")
COLUMNS_HINT = f"its columns must be {', '.join(POSITION_COLUMNS)}"


@dataclass(frozen=True, eq=False)
class Positions:
    """The spots of a file, in its order.

    Attributes
    ----------
    array, px
        Array column and row, and x and y in full-resolution px, both n x 2. Rows correspond to y.
    """

    path: Path
    barcodes: NDArray[np.bytes_]
    in_tissue: NDArray[np.bool_]
    array: NDArray[np.float64]
    px: NDArray[np.float64]


def read_positions(path: Path) -> Positions:
    """Return the positions of a file.

    Raises
    ------
    GeometryError
        If it is not a table of positions, lacks a number, or lists a spot twice.
    """
    refuse_special(path, GeometryError)
    table = _parquet(path) if path.suffix == ".parquet" else _csv(path)
    names = table["barcode"].map(str).str.strip()
    if not names.map(str.isascii).all():
        raise GeometryError(f"the positions {path} have barcodes with other letters than A to Z", hint=COLUMNS_HINT)
    numbers = to_numbers(table[list(POSITION_COLUMNS[1:])])
    wrong = ~np.isfinite(numbers.to_numpy()).all(axis=1)
    if wrong.any():
        raise GeometryError(
            f"{wrong.sum()} rows of the positions {path} lack a number, the first is {names[wrong.argmax()]}",
            hint=COLUMNS_HINT,
        )
    if names.duplicated().any():
        raise GeometryError(
            f"the positions {path} have spot {names[names.duplicated()].iloc[0]} more than once",
            hint="copy the file again from the run, or keep one row per spot",
        )
    return Positions(
        path,
        as_bytes(names, path, GeometryError),
        (numbers["in_tissue"] != 0).to_numpy(),
        numbers[["array_col", "array_row"]].to_numpy(),
        numbers[["pxl_col_in_fullres", "pxl_row_in_fullres"]].to_numpy(),
    )


def _parquet(path: Path) -> pd.DataFrame:
    try:
        names = parquet.read_schema(path).names
        positions = [name for name in names if name.strip().casefold() in POSITION_COLUMNS]
        return _select_columns(read_columns(path, positions, MAX_SPOTS).to_pandas(ignore_metadata=True), path)
    except DAMAGED_PARQUET_ERRORS as error:
        if isinstance(error, GeometryError):
            raise
        raise GeometryError(f"the positions {path} are not a parquet table: {error}", hint="copy it again") from error


def _csv(path: Path) -> pd.DataFrame:
    text = read_text(path, "positions", GeometryError)
    try:
        cells = read_cells(text)
    except pd.errors.ParserError as error:
        raise GeometryError(f"the positions {path} are not a table: {str(error).strip()}", hint=COLUMNS_HINT) from error
    if not are_numbers(cells.iloc[0, -1:]):  # in a row of a spot, the last cell is a number of px
        return _select_columns(with_header(cells), path)
    if cells.shape[1] != len(POSITION_COLUMNS):
        raise GeometryError(
            f"the positions {path} have {cells.shape[1]} columns and no header, expected 6", hint=COLUMNS_HINT
        )
    return _select_columns(cells.set_axis(POSITION_COLUMNS, axis=1), path)


def _select_columns(table: pd.DataFrame, path: Path) -> pd.DataFrame:
    columns: dict[str, Any] = {str(name).strip().casefold(): table[name] for name in table.columns}
    if missing := [name for name in POSITION_COLUMNS if name not in columns]:
        raise GeometryError(f"the positions {path} have no column {', '.join(missing)}", hint=COLUMNS_HINT)
    if table.empty:
        raise GeometryError(f"the positions {path} have no spot", hint="copy it again")
    return pd.DataFrame({name: columns[name] for name in POSITION_COLUMNS}).reset_index(drop=True)
