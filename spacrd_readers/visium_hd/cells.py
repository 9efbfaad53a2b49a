"""Sum segmented cells of Visium HD into square spots by their centroids."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from spacrd_core.errors import CountsError, MissingFile
from spacrd_readers._base import MAX_UNMATCHED
from spacrd_readers.tenx.cell_spots import square_spots
from spacrd_readers.visium_hd.counts import SpotAssignment, SpotCounts, sum_matrix
from spacrd_readers.visium_hd.files import need_file
from spacrd_readers.visium_hd.names import parse_cells
from spacrd_readers.visium_hd.polygons import read_centroids
from spacrd_readers.visium_hd.spatial import read_spatial, um_per_px

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from spacrd_core.section.section import ImageInputs
    from spacrd_readers.visium_hd.bundle import Bundle

MATRIX_FILES = tuple(f"{kind}_feature_cell_matrix{suffix}" for kind in ("filtered", "raw") for suffix in (".h5", ""))
OUTLINE_FILES = ("cell_segmentations.geojson", "graphclust_annotated_cell_segmentations.geojson")


def count_cells(bundle: Bundle, inputs: ImageInputs, *, spot_um: float, genome: str) -> SpotCounts:
    """Return the squares of a grid with the counts of the cells in them; squares without cells are omitted.

    Raises
    ------
    InputError
        If a file is missing or broken, or the files are from different sections.
    """
    if bundle.cells is None:
        raise MissingFile(f"{bundle.path} has no cells (segmented_outputs)", hint="use --set reader.unit=bin")
    matrix, outlines = (
        need_file(bundle.cells, "matrix", *MATRIX_FILES),
        need_file(bundle.cells, "outlines", *OUTLINE_FILES),
    )
    spatial = read_spatial([bundle.cells, *bundle.levels.values(), *bundle.shared_folders])
    scale, scale_notes = um_per_px(None, "", spatial, inputs)
    assign = partial(_assign_cells, matrix=matrix, outlines=outlines, um_per_px=scale, spot_um=spot_um)
    counts, sub_spots, count_notes = sum_matrix(matrix, genome, "cell", assign)
    return SpotCounts(
        counts=counts,
        sub_spots=sub_spots,
        um_per_px=scale,
        files=(("counts", matrix), ("cells", outlines)),
        spatial=spatial,
        notes=(*scale_notes, *count_notes),
    )


def _assign_cells(
    names: NDArray[np.bytes_], *, matrix: Path, outlines: Path, um_per_px: float, spot_um: float
) -> SpotAssignment:
    numbers, px = read_centroids(outlines)
    first = ~pd.Index(numbers).duplicated()
    indices = pd.Index(numbers[first]).get_indexer(parse_cells(names, matrix))
    placed = indices >= 0
    if not placed.any() or placed.mean() < 1 - MAX_UNMATCHED:
        raise CountsError(
            f"{matrix} and {outlines} are from different sections: {(~placed).sum()} of {len(names)} cells have no "
            "outline",
            hint="give both files as the run wrote them",
        )
    grid = square_spots(px[first][indices[placed]] * um_per_px, spot_um)
    spots = np.full(len(names), -1, dtype=np.int32)
    spots[placed] = grid.spot_of_cell
    table = grid.table.assign(x_px=grid.table["x_um"] / um_per_px, y_px=grid.table["y_um"] / um_per_px)
    note = f"cells of {matrix.name} without an outline, left out: {(~placed).sum()}"
    return SpotAssignment(spots, table, () if placed.all() else (note,))
