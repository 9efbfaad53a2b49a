"""Read the cells of a Xenium bundle (``cells.parquet`` or ``cells.csv.gz``) of any version.

All versions have ids and centroids only. Ids are integers before XOA 1.3, then text like ``aaaaficg-1``, which early
parquet files hold as bytes; here all ids are bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from pyarrow import parquet

from spacrd_core.errors import GeometryError
from spacrd_core.opening.inflate import GZIP_ERRORS, open_inflated
from spacrd_core.opening.kinds import refuse_special
from spacrd_core.opening.names import as_bytes
from spacrd_core.tables import read_beginning, split_header
from spacrd_readers._parquet import DAMAGED_PARQUET_ERRORS, MAX_CELLS, read_columns

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

REQUIRED_COLUMNS = ("cell_id", "x_centroid", "y_centroid")
CONTROL_COLUMNS = (
    *("control_probe_counts", "control_codeword_counts", "genomic_control_counts"),
    *("unassigned_codeword_counts", "deprecated_codeword_counts"),
)
AREA_COLUMN = "cell_area"
MAX_COORDINATE_UM = 1e6  # a slide is 75,000 um long
COPY_AGAIN = "copy it again from the bundle"


@dataclass(frozen=True, eq=False)
class Cells:
    """The cells of a bundle, in the order of their file.

    Attributes
    ----------
    xy_um
        Centroids, n x 2.
    controls
        Control counts of each cell (negative probes, codewords, ...); None if the table has none.
    areas
        Area of each cell in um², NaN if unknown; None if the table has none.
    """

    path: Path
    ids: NDArray[np.bytes_]
    xy_um: NDArray[np.float64]
    controls: NDArray[np.int64] | None
    areas: NDArray[np.float64] | None
    notes: tuple[str, ...] = ()

    def take(self, indices: NDArray[np.int64]) -> Cells:
        """Return the cells of the given indices, in their order."""
        controls = None if self.controls is None else self.controls[indices]
        areas = None if self.areas is None else self.areas[indices]
        return Cells(self.path, self.ids[indices], self.xy_um[indices], controls, areas, self.notes)


def read_cells(path: Path) -> Cells:
    """Return the cells of a table; those without a position are left out, with a note.

    Raises
    ------
    GeometryError
        If the table lacks ids or positions, cannot be read, or names a cell twice.
    """
    refuse_special(path, GeometryError)
    table = _read_parquet(path) if path.suffix == ".parquet" else _read_csv(path)
    xy = _numbers(table, ["x_centroid", "y_centroid"], path)
    placed = np.isfinite(xy).all(axis=1)
    if not placed.any():
        raise GeometryError(f"the cell table {path} has no cell with a position", hint=COPY_AGAIN)
    if np.abs(xy[placed]).max() > MAX_COORDINATE_UM:
        raise GeometryError(
            f"the cells of {path} are up to {np.abs(xy[placed]).max():.3g} um from the origin", hint=COPY_AGAIN
        )
    notes = (f"cells of {path.name} without a position, left out: {(~placed).sum()}",) if not placed.all() else ()
    table = table[placed]
    controls = [name for name in CONTROL_COLUMNS if name in table.columns]
    ids = _require_unique(to_ids(table["cell_id"], path), path)
    control_counts = _numbers(table, controls, path).sum(axis=1).astype(np.int64) if controls else None
    areas = _numbers(table, [AREA_COLUMN], path)[:, 0] if AREA_COLUMN in table.columns else None
    return Cells(path, ids, xy[placed], control_counts, areas, notes)


def to_ids(column: pd.Series[Any], path: Path) -> NDArray[np.bytes_]:
    """Return cell ids, which are integers, text or bytes, as bytes."""
    if column.dtype.kind in "iu":
        return np.asarray(column, dtype=np.bytes_)
    return as_bytes(column, path, GeometryError)


def _read_parquet(path: Path) -> pd.DataFrame:
    try:
        columns = _select_columns(parquet.read_schema(path).names, path)
        return read_columns(path, columns, MAX_CELLS).to_pandas(ignore_metadata=True)
    except DAMAGED_PARQUET_ERRORS as error:
        if isinstance(error, GeometryError):
            raise
        raise GeometryError(f"the cell table {path} is not parquet: {error}", hint=COPY_AGAIN) from error


def _read_csv(path: Path) -> pd.DataFrame:
    header, _ = split_header(read_beginning(path, "cells", GeometryError), ",")
    columns = _select_columns(header, path)
    try:
        with open_inflated(path, GeometryError) as stream:
            return pd.read_csv(
                stream,
                usecols=columns,
                dtype={"cell_id": str},
                keep_default_na=False,
                na_values={name: ["", "NA", "nan", "NaN"] for name in columns if name != "cell_id"},
            )
    except (ValueError, OSError, MemoryError, OverflowError, *GZIP_ERRORS) as error:
        if isinstance(error, GeometryError):
            raise
        raise GeometryError(f"the cell table {path} is damaged: {str(error).strip()}", hint=COPY_AGAIN) from error


def _select_columns(names: list[str], path: Path) -> list[str]:
    if missing := [name for name in REQUIRED_COLUMNS if name not in names]:
        raise GeometryError(
            f"the cell table {path} has no column {', '.join(missing)}",
            hint=f"give the bundle's cells.parquet or cells.csv.gz, with {', '.join(REQUIRED_COLUMNS)}",
        )
    return [name for name in (*REQUIRED_COLUMNS, *CONTROL_COLUMNS, AREA_COLUMN) if name in names]


def _numbers(table: pd.DataFrame, columns: list[str], path: Path) -> NDArray[np.float64]:
    try:
        return np.asarray(table[columns].to_numpy(dtype=np.float64, na_value=np.nan))
    except (TypeError, ValueError) as error:
        raise GeometryError(
            f"the cells {path} hold no numbers in {', '.join(columns)}: {error}", hint=COPY_AGAIN
        ) from error


def _require_unique(ids: NDArray[np.bytes_], path: Path) -> NDArray[np.bytes_]:
    ordered = np.sort(ids)
    repeated = ordered[1:][ordered[1:] == ordered[:-1]]
    if len(repeated):
        raise GeometryError(
            f"the cell table {path} lists {repeated[0].decode(errors='replace')} more than once", hint=COPY_AGAIN
        )
    return ids
