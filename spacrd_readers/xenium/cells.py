"""Read the cells of a Xenium bundle (``cells.parquet`` or ``cells.csv.gz``), whichever version wrote them.

Only ids and centroids are in every version. Ids are integers before XOA 1.3, then text like ``aaaaficg-1``, which early
parquet files hold as bytes; here they are all bytes.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import parquet

from spacrd_core.errors import GeometryError
from spacrd_core.tables import glance, split_header

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

NEEDED = ("cell_id", "x_centroid", "y_centroid")
CONTROLS = (
    *("control_probe_counts", "control_codeword_counts", "genomic_control_counts"),
    *("unassigned_codeword_counts", "deprecated_codeword_counts"),
)
AREA = "cell_area"
LARGEST_UM = 1e6  # a slide is 75,000 um long
AGAIN = "copy it again from the bundle"


@dataclass(frozen=True, eq=False)
class Cells:
    """The cells of a bundle, in the order of their file.

    Attributes
    ----------
    xy_um
        Centroids, n x 2.
    controls
        What each cell counted of controls (negative probes, codewords, ...); None if the table does not say.
    areas
        um² of each cell, NaN where unknown; None if the table does not say.
    """

    path: Path
    ids: NDArray[np.bytes_]
    xy_um: NDArray[np.float64]
    controls: NDArray[np.int64] | None
    areas: NDArray[np.float64] | None
    notes: tuple[str, ...] = ()

    def take(self, places: NDArray[np.int64]) -> Cells:
        """Return some of the cells, in the order of their places."""
        controls = None if self.controls is None else self.controls[places]
        areas = None if self.areas is None else self.areas[places]
        return Cells(self.path, self.ids[places], self.xy_um[places], controls, areas, self.notes)


def read_cells(path: Path) -> Cells:
    """Return the cells of a table; those without a position are left out, with a note.

    Raises
    ------
    GeometryError
        If the table lacks ids or positions, cannot be read, or names a cell twice.
    """
    table = _read_parquet(path) if path.suffix == ".parquet" else _read_csv(path)
    xy = _numbers(table, ["x_centroid", "y_centroid"], path)
    placed = np.isfinite(xy).all(axis=1)
    if not placed.any():
        raise GeometryError(f"the cells {path} hold no cell with a position", hint=AGAIN)
    if np.abs(xy[placed]).max() > LARGEST_UM:
        raise GeometryError(f"the cells {path} lie up to {np.abs(xy[placed]).max():.3g} um from the origin", hint=AGAIN)
    notes = (f"cells of {path.name} without a position, left out: {(~placed).sum()}",) if not placed.all() else ()
    table = table[placed]
    controls = [name for name in CONTROLS if name in table.columns]
    ids = _each_once(as_ids(table["cell_id"]), path)
    counted = _numbers(table, controls, path).sum(axis=1).astype(np.int64) if controls else None
    areas = _numbers(table, [AREA], path)[:, 0] if AREA in table.columns else None
    return Cells(path, ids, xy[placed], counted, areas, notes)


def as_ids(column: pd.Series[Any]) -> NDArray[np.bytes_]:
    """Return cell ids as bytes, be they integers, text or bytes."""
    if column.dtype.kind in "iu":
        return np.asarray(column, dtype=np.bytes_)
    return np.array([name if isinstance(name, bytes) else str(name).encode() for name in column], dtype=np.bytes_)


def _read_parquet(path: Path) -> pd.DataFrame:
    try:
        file = parquet.ParquetFile(path)
        found = _columns(file.schema_arrow.names, path)
        return file.read(columns=found).to_pandas()
    except (pa.ArrowException, OSError) as error:
        raise GeometryError(f"the cells {path} are no parquet table: {error}", hint=AGAIN) from error


def _read_csv(path: Path) -> pd.DataFrame:
    header, _ = split_header(glance(path, "cells", GeometryError), ",")
    found = _columns(header, path)
    try:
        return pd.read_csv(
            path,
            usecols=found,
            dtype={"cell_id": str},
            keep_default_na=False,
            na_values={name: ["", "NA", "nan", "NaN"] for name in found if name != "cell_id"},
        )
    except (ValueError, EOFError, OSError, zlib.error) as error:
        raise GeometryError(f"the cells {path} are no table: {str(error).strip()}", hint=AGAIN) from error


def _columns(names: list[str], path: Path) -> list[str]:
    if missing := [name for name in NEEDED if name not in names]:
        raise GeometryError(
            f"the cells {path} have no column {', '.join(missing)}",
            hint=f"a bundle's own cells.parquet or cells.csv.gz is wanted, with {', '.join(NEEDED)}",
        )
    return [name for name in (*NEEDED, *CONTROLS, AREA) if name in names]


def _numbers(table: pd.DataFrame, columns: list[str], path: Path) -> NDArray[np.float64]:
    try:
        return np.asarray(table[columns].to_numpy(dtype=np.float64, na_value=np.nan))
    except (TypeError, ValueError) as error:
        raise GeometryError(f"the cells {path} hold no numbers in {', '.join(columns)}: {error}", hint=AGAIN) from error


def _each_once(ids: NDArray[np.bytes_], path: Path) -> NDArray[np.bytes_]:
    ordered = np.sort(ids)
    twice = ordered[1:][ordered[1:] == ordered[:-1]]
    if len(twice):
        raise GeometryError(f"the cells {path} name {twice[0].decode()} more than once", hint=AGAIN)
    return ids
