"""Match barcodes to cells by id: the two files of a bundle are not guaranteed to list cells in the same order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from spacrd_core.errors import CountsError
from spacrd_readers._base import MAX_UNMATCHED

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from spacrd_readers.xenium.cells import Cells


def join_cells(cells: Cells, barcodes: NDArray[np.bytes_], path: Path) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Return the cell index of every barcode of the matrix at ``path``, or -1, and notes on those left out.

    Raises
    ------
    CountsError
        If the two list different cells, or the matrix lists a cell twice.
    """
    indices = indices_of(barcodes, cells.ids)
    unmatched, uncounted = indices < 0, np.ones(len(cells.ids), dtype=bool)
    uncounted[indices[~unmatched]] = False
    if (~unmatched).sum() > (~uncounted).sum():
        raise CountsError(f"{path} lists a cell more than once", hint="copy it again from the bundle")
    without_cell = f"{_share(unmatched, 'barcodes', path.name, barcodes)} have no cell"
    without_counts = f"{_share(uncounted, 'cells', cells.path.name, cells.ids)} have no counts"
    # The files of one bundle list the same cells; a reduced copy may lack a few.
    if any(mask.sum() > MAX_UNMATCHED * len(mask) for mask in (unmatched, uncounted)):
        raise CountsError(
            f"the matrix and cells of {path.parent} are from different bundles: {without_cell}, and {without_counts}",
            hint="take both from one bundle: cells get new ids when they are segmented again",
        )
    notes = [note for note, mask in ((without_cell, unmatched), (without_counts, uncounted)) if mask.any()]
    return indices, tuple(f"{note}, left out" for note in notes)


def indices_of(names: NDArray[np.bytes_], unique_names: NDArray[np.bytes_]) -> NDArray[np.int64]:
    """Return the index of every name in ``unique_names``; -1 if it is not there."""
    if len(names) == len(unique_names) and (names == unique_names).all():
        return np.arange(len(names))
    order = np.argsort(unique_names)
    indices = order[np.minimum(np.searchsorted(unique_names, names, sorter=order), len(unique_names) - 1)]
    return np.where(unique_names[indices] == names, indices, -1)


def _share(mask: NDArray[np.bool_], kind: str, file: str, ids: NDArray[np.bytes_]) -> str:
    """Return the number of selected ids of a file, the total, and an example, as text."""
    example = f" ({ids[mask][0].decode(errors='replace')}, ...)" if mask.any() else ""
    return f"{mask.sum()} of the {len(ids)} {kind} of {file}{example}"
