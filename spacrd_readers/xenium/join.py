"""Find the cell of every barcode by its id: the two files of a bundle list cells in one order only by custom."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from spacrd_core.errors import CountsError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from spacrd_readers.xenium.cells import Cells

STRANGERS = 0.1  # a bundle's own files name the same cells; a cut-down copy may lack a few


def join_cells(cells: Cells, barcodes: NDArray[np.bytes_], path: Path) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Return for every barcode of the matrix at ``path`` the index of its cell, or -1, and who was left out.

    Raises
    ------
    CountsError
        If the two name different cells, or the matrix one cell twice.
    """
    found = places_of(barcodes, cells.ids)
    lost, uncounted = found < 0, np.ones(len(cells.ids), dtype=bool)
    uncounted[found[~lost]] = False
    if (~lost).sum() > (~uncounted).sum():
        raise CountsError(f"{path} names a cell more than once", hint="copy it again from the bundle")
    nameless = f"{_share(lost, 'barcodes', path.name, barcodes)} name no cell"
    countless = f"{_share(uncounted, 'cells', cells.path.name, cells.ids)} have no counts"
    if any(those.sum() > STRANGERS * len(those) for those in (lost, uncounted)):
        raise CountsError(
            f"the matrix and the cells of {path.parent} are not of one bundle: {nameless}, and {countless}",
            hint="take both from one bundle: cells get other ids when they are segmented again",
        )
    notes = [note for note, those in ((nameless, lost), (countless, uncounted)) if those.any()]
    return found, tuple(f"{note}, left out" for note in notes)


def places_of(names: NDArray[np.bytes_], among: NDArray[np.bytes_]) -> NDArray[np.int64]:
    """Return where every name stands among others, each of which is there once; -1 where it is not."""
    if len(names) == len(among) and (names == among).all():
        return np.arange(len(names))
    order = np.argsort(among)
    places = order[np.minimum(np.searchsorted(among, names, sorter=order), len(among) - 1)]
    return np.where(among[places] == names, places, -1)


def _share(those: NDArray[np.bool_], kind: str, file: str, ids: NDArray[np.bytes_]) -> str:
    """Return how many of a file's cells, of how many, with one for example."""
    example = f" ({ids[those][0].decode(errors='replace')}, ...)" if those.any() else ""
    return f"{those.sum()} of the {len(ids)} {kind} of {file}{example}"
