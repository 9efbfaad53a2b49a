"""Spots of Visium HD that are squares of segmented cells, each in the square of its centroid."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from spacrd_core.errors import CountsError, MissingFile
from spacrd_readers.tenx.cell_spots import on_grid
from spacrd_readers.visium_hd.counts import Assigned, Counted, sum_matrix
from spacrd_readers.visium_hd.files import need_file
from spacrd_readers.visium_hd.names import parse_cells
from spacrd_readers.visium_hd.polygons import read_centroids
from spacrd_readers.visium_hd.spatial import read_spatial, um_per_px

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from spacrd_core.section.section import Given
    from spacrd_readers.visium_hd.bundle import Bundle

MATRICES = tuple(f"{kind}_feature_cell_matrix{suffix}" for kind in ("filtered", "raw") for suffix in (".h5", ""))
OUTLINES = ("cell_segmentations.geojson", "graphclust_annotated_cell_segmentations.geojson")
STRANGERS = 0.1


def count_cells(bundle: Bundle, given: Given, *, spot_um: float, genome: str) -> Counted:
    """Return the squares of a grid with the counts of the cells in them; squares without cells are absent.

    Raises
    ------
    InputError
        If a file is missing, broken, or does not belong to the others.
    """
    if bundle.cells is None:
        raise MissingFile(f"{bundle.path} has no segmented_outputs, so no cells", hint="--set reader.unit=bin")
    matrix, outlines = need_file(bundle.cells, "matrix", *MATRICES), need_file(bundle.cells, "outlines", *OUTLINES)
    spatial = read_spatial([bundle.cells, *bundle.levels.values(), *bundle.homes])
    scale, of_scale = um_per_px(None, "", spatial, given)
    assign = partial(_assigned, matrix=matrix, outlines=outlines, um_per_px=scale, spot_um=spot_um)
    counts, units, of_counts = sum_matrix(matrix, genome, "cell", assign)
    return Counted(
        counts=counts,
        units=units,
        um_per_px=scale,
        files=(("counts", matrix), ("cells", outlines)),
        spatial=spatial,
        notes=(*of_scale, *of_counts),
    )


def _assigned(names: NDArray[np.bytes_], *, matrix: Path, outlines: Path, um_per_px: float, spot_um: float) -> Assigned:
    numbers, px = read_centroids(outlines)
    once = ~pd.Index(numbers).duplicated()
    places = pd.Index(numbers[once]).get_indexer(parse_cells(names, matrix))
    placed = places >= 0
    if not placed.any() or placed.mean() < 1 - STRANGERS:
        raise CountsError(
            f"{matrix} and {outlines} are not of one section: {(~placed).sum()} of {len(names)} cells have no outline",
            hint="give both as they came from the run",
        )
    grid = on_grid(px[once][places[placed]] * um_per_px, spot_um)
    spots = np.full(len(names), -1, dtype=np.int32)
    spots[placed] = grid.of_cell
    table = grid.table.assign(x_px=grid.table["x_um"] / um_per_px, y_px=grid.table["y_um"] / um_per_px)
    lost = f"cells of {matrix.name} without an outline, left out: {(~placed).sum()}"
    return Assigned(spots, table, () if placed.all() else (lost,))
