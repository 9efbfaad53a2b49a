"""Make spots of pieces: measured spots as they are; bins and cells summed into squares, or one spot each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from spacrd_core.errors import GeometryError
from spacrd_core.opening.names import as_bytes
from spacrd_core.section.geometry import fit_affine
from spacrd_core.section.section import SubSpots
from spacrd_readers.anndata.groupings import array_positions
from spacrd_readers.anndata.squares import SQUARE_UM, is_tight
from spacrd_readers.tenx.cell_spots import CellSpots, single_cell_spots, square_spots
from spacrd_readers.visium_hd.array import MAX_ARRAY_SIZE
from spacrd_readers.visium_hd.grid import bins_per_side, make_squares

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spacrd_core.section.section import SpotShape
    from spacrd_readers.anndata.scale import Scale
    from spacrd_readers.spatialdata.pieces import Pieces

BIN_SQUARE_UM = 56.0  # as of the reader visium_hd
MIN_COVERAGE = 0.25  # of a square by bins, as of the reader visium_hd

Unit = Literal["spot", "cell"]


@dataclass(frozen=True, eq=False)
class SpotGroups:
    """The spots of a section, and the spot of every piece (-1 for none).

    ``table`` has one row per spot: ``x_um, y_um`` and, on a lattice, ``array_x, array_y``.
    """

    table: pd.DataFrame
    spot_of_piece: NDArray[np.int32]
    spot_um: float
    shape: SpotShape
    pitch_um: float
    sub_spots: SubSpots | None = None
    notes: tuple[str, ...] = ()


def make_spots(
    pieces: Pieces, obs: pd.DataFrame, ids: pd.Index[str], scale: Scale, *, unit: Unit, spot_um: float | None
) -> SpotGroups:
    """Return the spots of a section; ``obs`` and ``ids`` belong to its pieces, ``scale`` has their sizes.

    Raises
    ------
    GeometryError
        If two pieces share their name.
    """
    if not ids.is_unique:
        raise GeometryError(
            f"the table names {ids[ids.duplicated()][0]} more than once", hint="use --set reader.region=NAME"
        )
    xy_um = pieces.xy * scale.um_per_px
    if unit == "cell" or not is_tight(scale):
        return _one_each(pieces, obs, ids, scale, xy_um)
    array = array_positions(obs)
    if array is not None and scale.spot_shape == "square":
        return _squares_of_bins(array, ids, scale, xy_um, spot_um or BIN_SQUARE_UM)
    squares = square_spots(xy_um, spot_um or SQUARE_UM)
    noun = "bins" if pieces.kind == "point" else "cells"
    return _summed(
        squares, ids, f"{noun} {scale.pitch_um:.3g} um apart were summed into squares of {squares.spot_um:g} um"
    )


def _one_each(
    pieces: Pieces, obs: pd.DataFrame, ids: pd.Index[str], scale: Scale, xy_um: NDArray[np.float64]
) -> SpotGroups:
    if is_tight(scale) and scale.spot_shape == "disc":
        areas = pieces.table["area"].to_numpy() * scale.um_per_px**2
        known = areas if np.isfinite(areas).any() else None
        cells = single_cell_spots(xy_um, np.arange(len(ids)).astype("S"), known)
        table, notes = cells.table.set_axis(ids, axis=0), cells.notes
        return SpotGroups(table, cells.spot_of_cell, cells.spot_um, cells.shape, cells.pitch_um, notes=notes)
    table = pd.DataFrame({"x_um": xy_um[:, 0], "y_um": xy_um[:, 1]}, index=ids)
    array = array_positions(obs)
    if array is not None:
        table = table.join(array.set_axis(ids, axis=0))
    return SpotGroups(
        table, np.arange(len(ids), dtype=np.int32), scale.spot_um, scale.spot_shape, scale.pitch_um, notes=scale.notes
    )


def _squares_of_bins(
    array: pd.DataFrame, ids: pd.Index[str], scale: Scale, xy_um: NDArray[np.float64], spot_um: float
) -> SpotGroups:
    """Return squares of k x k bins, by their array positions: an array may be turned on its image."""
    side = bins_per_side(round(spot_um), round(scale.pitch_um))
    columns, rows = array["array_x"].to_numpy().astype(np.int64), array["array_y"].to_numpy().astype(np.int64)
    if min(rows.min(), columns.min()) < 0 or max(rows.max(), columns.max()) >= MAX_ARRAY_SIZE:
        raise GeometryError(
            f"the table has bins in rows {rows.min()} to {rows.max()} and columns {columns.min()} to {columns.max()}",
            hint=f"an array has rows and columns 0 to {MAX_ARRAY_SIZE - 1}",
        )
    in_tissue = np.zeros((rows.max() + 1, columns.max() + 1), dtype=bool)
    in_tissue[rows, columns] = True
    squares = make_squares(in_tissue, side, spot_um=round(spot_um), min_coverage=MIN_COVERAGE)
    centres = fit_affine(np.column_stack([columns, rows]).astype(float), xy_um).apply(squares.centres)
    spots = squares.spot_of(rows, columns)
    note = f"bins of {scale.pitch_um:g} um were summed into squares of {spot_um:g} um"
    return SpotGroups(
        squares.table.assign(x_um=centres[:, 0], y_um=centres[:, 1]),
        spots,
        float(spot_um),
        "square",
        float(spot_um),
        SubSpots("bin", as_bytes(ids, "the table", GeometryError), spots),
        (note, *squares.notes),
    )


def _summed(squares: CellSpots, ids: pd.Index[str], note: str) -> SpotGroups:
    sub_spots = SubSpots("cell", as_bytes(ids, "the table", GeometryError), squares.spot_of_cell)
    return SpotGroups(
        squares.table,
        squares.spot_of_cell,
        squares.spot_um,
        squares.shape,
        squares.pitch_um,
        sub_spots,
        (note, *squares.notes),
    )
