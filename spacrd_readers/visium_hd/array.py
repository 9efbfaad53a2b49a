"""The array of a Visium HD slide: which of its bins are in tissue, and where they lie on the image.

The table of positions has every bin of the array (eleven million of 2 um), so it is read in pieces.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from spacrd_core.errors import GeometryError
from spacrd_core.section.geometry import Affine, fit_affine

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

COLUMNS = ("in_tissue", "array_row", "array_col", "pxl_row_in_fullres", "pxl_col_in_fullres")
PIECE = 2**16  # rows read at once
BUFFER = 2**20  # bytes; without it a column of eleven million is fetched whole
SAMPLE = 200_000  # bins that the map to the image is fitted to
MOST = 8192  # rows and columns; 3350 of 2 um are an array of 6.5 mm
OFF = 2.0  # steps of the array; real bins lie within hundredths
NAME = re.compile(r"s_(\d{3})um_\d{5}_\d{5}")
AGAIN = "copy it again from the run"


@dataclass(frozen=True, eq=False)
class BinArray:
    """The bins of a slide.

    Attributes
    ----------
    um
        Their width, as their names say it; None where they do not.
    in_tissue
        Which are, by array row and column.
    to_px
        The map of (column, row) to (x, y) in full-resolution px: arrays lie turned and mirrored on their images.
    """

    um: int | None
    in_tissue: NDArray[np.bool_]
    to_px: Affine


def read_array(path: Path) -> BinArray:
    """Return the bins of a ``tissue_positions.parquet``.

    Raises
    ------
    GeometryError
        If it cannot be read, has no bin in tissue, or its px do not follow the array.
    """
    with _opened(path) as file:
        return _read(path, file)


def named_um(path: Path) -> int | None:
    """Return the width of the bins that a table of positions names; None where it names none.

    Raises
    ------
    GeometryError
        If it cannot be read.
    """
    with _opened(path) as file:
        return _named_um(file)


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    try:
        with parquet.ParquetFile(path, buffer_size=BUFFER, pre_buffer=False) as file:
            yield file
    except (pa.ArrowException, OSError) as error:
        raise GeometryError(f"the positions {path} are no parquet table: {error}", hint=AGAIN) from error


def _read(path: Path, file: Any) -> BinArray:
    if missing := [name for name in COLUMNS if name not in file.schema_arrow.names]:
        raise GeometryError(f"the positions {path} have no column {', '.join(missing)}", hint=AGAIN)
    mask = np.zeros((MOST, MOST), dtype=bool)  # of which only what is written takes memory
    chosen, samples = np.random.default_rng(0), []
    share = SAMPLE / max(file.metadata.num_rows, 1)
    for places, in_tissue, px in _pieces(path, file):
        mask[places[in_tissue, 1], places[in_tissue, 0]] = True
        some = (chosen.random(len(px)) < share) & np.isfinite(px).all(axis=1)
        samples.append(np.hstack([places[some], px[some]]))
    if not mask.any():
        raise GeometryError(f"the positions {path} have no bin in tissue", hint="was tissue found by Space Ranger?")
    rows, columns = (int(np.flatnonzero(mask.any(axis=axis))[-1]) + 1 for axis in (1, 0))
    return BinArray(_named_um(file), mask[:rows, :columns].copy(), _fitted(np.vstack(samples), path))


def _pieces(path: Path, file: Any) -> Iterator[tuple[NDArray[np.int64], NDArray[np.bool_], NDArray[np.float64]]]:
    """Yield (column, row), whether in tissue, and (x, y) in px, some bins at a time."""
    for batch in file.iter_batches(batch_size=PIECE, columns=list(COLUMNS)):
        table = {name: batch.column(name).cast(pa.float64()).to_numpy(zero_copy_only=False) for name in COLUMNS}
        places = np.column_stack([table["array_col"], table["array_row"]])
        if not ((places >= 0) & (places < MOST)).all():
            raise GeometryError(f"the positions {path} hold a bin without a row and column of the array", hint=AGAIN)
        px = np.column_stack([table["pxl_col_in_fullres"], table["pxl_row_in_fullres"]])
        yield places.astype(np.int64), table["in_tissue"] == 1, px


def _named_um(file: Any) -> int | None:
    if "barcode" not in file.schema_arrow.names or not file.metadata.num_rows:
        return None
    first = next(file.iter_batches(batch_size=1, columns=["barcode"])).column(0)[0].as_py()
    found = NAME.search(str(first))
    return int(found[1]) if found else None


def _fitted(sample: NDArray[np.float64], path: Path) -> Affine:
    try:
        fit = fit_affine(sample[:, :2], sample[:, 2:])
    except GeometryError as error:
        raise GeometryError(f"the positions {path} do not tell how the array lies: {error}", hint=AGAIN) from error
    step = np.sqrt(fit.area)
    if not fit.rms < OFF * step:
        raise GeometryError(
            f"the px of the positions {path} do not follow its rows and columns: {fit.rms:.1f} px off on average, "
            f"at {step:.1f} px a bin",
            hint=AGAIN,
        )
    return fit
