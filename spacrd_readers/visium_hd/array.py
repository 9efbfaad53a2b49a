"""Read the bin array of a Visium HD slide: the bins in tissue, and their positions on the image.

The table of positions lists every bin of the array (eleven million of 2 um), so it is read in batches.
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

POSITION_COLUMNS = ("in_tissue", "array_row", "array_col", "pxl_row_in_fullres", "pxl_col_in_fullres")
ROWS_PER_BATCH = 2**16
BUFFER_BYTES = 2**20  # without a buffer size, a column of eleven million rows is fetched whole
FIT_SAMPLE = 200_000  # bins to which the map to the image is fitted
MAX_ARRAY_SIZE = 8192  # rows and columns; an array of 6.5 mm has 3350 of 2 um
MAX_RMS_STEPS = 2.0  # in steps of the array; real bins deviate by hundredths
BIN_NAME = re.compile(r"s_(\d{3})um_\d{5}_\d{5}")
COPY_AGAIN = "copy it again from the run"


@dataclass(frozen=True, eq=False)
class BinArray:
    """The bins of a slide.

    Attributes
    ----------
    um
        Their width according to their names; None if the names do not give it.
    in_tissue
        A mask by array row and column.
    to_px
        The map of (column, row) to (x, y) in full-resolution px: arrays can be rotated and mirrored on their images.
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
    with _open_parquet(path) as file:
        return _read(path, file)


def bin_size_from_names(path: Path) -> int | None:
    """Return the bin width, in um, from the names in a table of positions; None if they do not give it.

    Raises
    ------
    GeometryError
        If it cannot be read.
    """
    with _open_parquet(path) as file:
        return _named_um(file)


@contextmanager
def _open_parquet(path: Path) -> Iterator[Any]:
    try:
        with parquet.ParquetFile(path, buffer_size=BUFFER_BYTES, pre_buffer=False) as file:
            yield file
    except (pa.ArrowException, OSError) as error:
        raise GeometryError(f"the positions {path} are not a parquet table: {error}", hint=COPY_AGAIN) from error


def _read(path: Path, file: Any) -> BinArray:
    if missing := [name for name in POSITION_COLUMNS if name not in file.schema_arrow.names]:
        raise GeometryError(f"the positions {path} have no column {', '.join(missing)}", hint=COPY_AGAIN)
    mask = np.zeros((MAX_ARRAY_SIZE, MAX_ARRAY_SIZE), dtype=bool)  # only written pages take memory
    generator, samples = np.random.default_rng(0), []
    share = FIT_SAMPLE / max(file.metadata.num_rows, 1)
    for bins, in_tissue, px in _batches(path, file):
        mask[bins[in_tissue, 1], bins[in_tissue, 0]] = True
        sampled = (generator.random(len(px)) < share) & np.isfinite(px).all(axis=1)
        samples.append(np.hstack([bins[sampled], px[sampled]]))
    if not mask.any():
        raise GeometryError(f"the positions {path} have no bin in tissue", hint="check Space Ranger's tissue detection")
    rows, columns = (int(np.flatnonzero(mask.any(axis=axis))[-1]) + 1 for axis in (1, 0))
    return BinArray(_named_um(file), mask[:rows, :columns].copy(), _fit_array(np.vstack(samples), path))


def _batches(path: Path, file: Any) -> Iterator[tuple[NDArray[np.int64], NDArray[np.bool_], NDArray[np.float64]]]:
    """Yield batches of bins: (column, row), whether in tissue, and (x, y) in px."""
    for batch in file.iter_batches(batch_size=ROWS_PER_BATCH, columns=list(POSITION_COLUMNS)):
        table = {
            name: batch.column(name).cast(pa.float64()).to_numpy(zero_copy_only=False) for name in POSITION_COLUMNS
        }
        bins = np.column_stack([table["array_col"], table["array_row"]])
        if not ((bins >= 0) & (bins < MAX_ARRAY_SIZE)).all():
            raise GeometryError(f"the positions {path} hold a bin without array row and column", hint=COPY_AGAIN)
        px = np.column_stack([table["pxl_col_in_fullres"], table["pxl_row_in_fullres"]])
        yield bins.astype(np.int64), table["in_tissue"] == 1, px


def _named_um(file: Any) -> int | None:
    if "barcode" not in file.schema_arrow.names or not file.metadata.num_rows:
        return None
    first = next(file.iter_batches(batch_size=1, columns=["barcode"])).column(0)[0].as_py()
    match = BIN_NAME.search(str(first))
    return int(match[1]) if match else None


def _fit_array(sample: NDArray[np.float64], path: Path) -> Affine:
    try:
        fit = fit_affine(sample[:, :2], sample[:, 2:])
    except GeometryError as error:
        raise GeometryError(f"the positions {path} do not locate the array: {error}", hint=COPY_AGAIN) from error
    step = np.sqrt(fit.area)
    if not fit.rms < MAX_RMS_STEPS * step:
        raise GeometryError(
            f"the pixel positions in {path} do not follow its rows and columns: they deviate by {fit.rms:.1f} px "
            f"(RMS), at {step:.1f} px per bin",
            hint=COPY_AGAIN,
        )
    return fit
