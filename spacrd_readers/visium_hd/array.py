"""Read the bin array of a Visium HD slide: the bins in tissue, and their positions on the image.

The table of positions lists every bin of the array (eleven million of 2 um), so it is read in batches.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from spacrd_core.errors import GeometryError
from spacrd_core.section.geometry import Affine, fit_affine
from spacrd_readers.visium_hd.positions import COPY_AGAIN, POSITION_COLUMNS, open_positions

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from spacrd_readers.visium_hd.positions import PositionsTable

FIT_SAMPLE = 200_000  # bins to which the map to the image is fitted
MAX_ARRAY_SIZE = 8192  # rows and columns; an array of 6.5 mm has 3350 of 2 um
MAX_RMS_STEPS = 2.0  # in steps of the array; real bins deviate by hundredths
BIN_NAME = re.compile(r"s_(\d{3})um_\d{5}_\d{5}")


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
    """Return the bins of a table of positions.

    Raises
    ------
    GeometryError
        If it cannot be read, has no bin in tissue, or its px do not follow the array.
    """
    with open_positions(path) as table:
        return _read(path, table)


def bin_size_from_names(path: Path) -> int | None:
    """Return the bin width, in um, from the names in a table of positions; None if they do not give it.

    Raises
    ------
    GeometryError
        If it cannot be read.
    """
    with open_positions(path) as table:
        return _named_um(table)


def _read(path: Path, table: PositionsTable) -> BinArray:
    if missing := [name for name in POSITION_COLUMNS if name not in table.columns]:
        raise GeometryError(f"the positions {path} have no column {', '.join(missing)}", hint=COPY_AGAIN)
    mask = np.zeros((MAX_ARRAY_SIZE, MAX_ARRAY_SIZE), dtype=bool)  # only written pages take memory
    generator, samples = np.random.default_rng(0), []
    share = FIT_SAMPLE / max(table.rows, 1)
    for bins, in_tissue, px in _batches(path, table):
        mask[bins[in_tissue, 1], bins[in_tissue, 0]] = True
        sampled = (generator.random(len(px)) < share) & np.isfinite(px).all(axis=1)
        samples.append(np.hstack([bins[sampled], px[sampled]]))
    if not mask.any():
        raise GeometryError(f"the positions {path} have no bin in tissue", hint="check Space Ranger's tissue detection")
    rows, columns = (int(np.flatnonzero(mask.any(axis=axis))[-1]) + 1 for axis in (1, 0))
    return BinArray(_named_um(table), mask[:rows, :columns].copy(), _fit_array(np.vstack(samples), path))


def _batches(
    path: Path, positions: PositionsTable
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.bool_], NDArray[np.float64]]]:
    """Yield batches of bins: (column, row), whether in tissue, and (x, y) in px."""
    for batch in positions.batches():
        table = {
            name: batch.column(name).cast(pa.float64()).to_numpy(zero_copy_only=False) for name in POSITION_COLUMNS
        }
        bins = np.column_stack([table["array_col"], table["array_row"]])
        if not ((bins >= 0) & (bins < MAX_ARRAY_SIZE)).all():
            raise GeometryError(f"the positions {path} hold a bin without array row and column", hint=COPY_AGAIN)
        px = np.column_stack([table["pxl_col_in_fullres"], table["pxl_row_in_fullres"]])
        yield bins.astype(np.int64), table["in_tissue"] == 1, px


def _named_um(table: PositionsTable) -> int | None:
    match = BIN_NAME.search(table.first_barcode)
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
