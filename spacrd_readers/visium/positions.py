"""Read the positions of a capture area's spots: ``tissue_positions*.csv`` or ``.parquet``, with a header or without.

Neither the name nor the version tells whether there is a header: files called ``_list`` have one, and others none.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa

from spacrd_core.errors import GeometryError
from spacrd_core.tables import read_text

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

COLUMNS = ("barcode", "in_tissue", "array_row", "array_col", "pxl_row_in_fullres", "pxl_col_in_fullres")
HINT = f"its columns must be {', '.join(COLUMNS)}"


@dataclass(frozen=True, eq=False)
class Positions:
    """The spots of a file, in its order.

    Attributes
    ----------
    array, px
        Column and row of the array; x and y in full-resolution px: both n x 2. A row of the array or of px is a y.
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
        If it is no table of positions, lacks a number, or has a spot twice.
    """
    table = _parquet(path) if path.suffix == ".parquet" else _csv(path)
    names = table["barcode"].astype(str).str.strip()
    numbers = table[list(COLUMNS[1:])].apply(pd.to_numeric, errors="coerce").astype(float)
    wrong = ~np.isfinite(numbers.to_numpy()).all(axis=1)
    if wrong.any():
        raise GeometryError(
            f"{wrong.sum()} rows of the positions {path} lack a number, first that of {names[wrong.argmax()]}",
            hint=HINT,
        )
    if names.duplicated().any():
        raise GeometryError(f"the positions {path} have spot {names[names.duplicated()].iloc[0]} more than once")
    return Positions(
        path,
        names.to_numpy(dtype=np.bytes_),
        (numbers["in_tissue"] != 0).to_numpy(),
        numbers[["array_col", "array_row"]].to_numpy(),
        numbers[["pxl_col_in_fullres", "pxl_row_in_fullres"]].to_numpy(),
    )


def _parquet(path: Path) -> pd.DataFrame:
    try:
        return _chosen(pd.read_parquet(path), path)
    except (pa.ArrowException, OSError) as error:
        raise GeometryError(f"the positions {path} are no parquet table: {error}", hint="copy it again") from error


def _csv(path: Path) -> pd.DataFrame:
    text = read_text(path, "positions", GeometryError)
    first = text.lstrip().partition("\n")[0]
    mark = "\t" if "\t" in first else ","
    try:
        table = pd.read_csv(io.StringIO(text), sep=mark, header=0 if _is_header(first, mark) else None, dtype=str)
    except pd.errors.ParserError as error:
        raise GeometryError(f"the positions {path} are no table: {str(error).strip()}", hint=HINT) from error
    if not _is_header(first, mark):
        if table.shape[1] != len(COLUMNS):
            raise GeometryError(
                f"the positions {path} have {table.shape[1]} columns and no header, 6 were wanted", hint=HINT
            )
        table.columns = pd.Index(COLUMNS)
    return _chosen(table, path)


def _is_header(line: str, mark: str) -> bool:
    """Whether the last cell of the first line is a name: that of the table itself is a number of px."""
    last = line.strip().split(mark)[-1].strip().strip('"')
    try:
        float(last)
    except ValueError:
        return True
    return False


def _chosen(table: pd.DataFrame, path: Path) -> pd.DataFrame:
    named: dict[str, Any] = {str(name).strip().casefold(): table[name] for name in table.columns}
    if missing := [name for name in COLUMNS if name not in named]:
        raise GeometryError(f"the positions {path} have no column {', '.join(missing)}", hint=HINT)
    if table.empty:
        raise GeometryError(f"the positions {path} have no spot", hint="copy it again")
    return pd.DataFrame({name: named[name] for name in COLUMNS}).reset_index(drop=True)
