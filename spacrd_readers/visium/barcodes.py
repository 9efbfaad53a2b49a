"""Find the position of every barcode of a matrix; deposited files may lack the ``-1``, or add a sample name.

All slides of one kind share their barcodes, so matching barcodes do not prove that two files are of one section. The
spots that are in tissue do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from spacrd_core.errors import CountsError
from spacrd_readers._base import MAX_UNMATCHED, first_names

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from spacrd_readers.visium.positions import Positions

BARCODE_LETTERS = r"(?<![ACGT])([ACGT]{16})(?![ACGT])"
GEM_GROUP = r"-(\d+)$"
SAME_RUN_HINT = "give the matrix and the spatial folder of one run; --set reader.spatial=FOLDER"


@dataclass(frozen=True, eq=False)
class JoinedSpots:
    """The spots of a matrix that are in tissue.

    Attributes
    ----------
    ids
        Their ids, in the order of the matrix; ``order`` has those of all its barcodes.
    rows
        Their rows in the table of positions.
    groups
        The spot index of every barcode of the matrix, or -1.
    """

    ids: pd.Index[str]
    order: NDArray[np.object_]
    rows: NDArray[np.int64]
    groups: NDArray[np.int32]
    notes: tuple[str, ...]


def join_spots(barcodes: NDArray[np.bytes_], positions: Positions, matrix: Path, *, raw: bool) -> JoinedSpots:
    """Return the spots in tissue, and notes on those left out; ``raw`` matrices cover the whole capture area.

    Raises
    ------
    CountsError
        If the matrix is of several sections, or of another section than the positions.
    """
    matrix_names, position_names = (pd.Series(names.astype(str)) for names in (barcodes, positions.barcodes))
    _refuse_aggregated(matrix_names, matrix)
    rows, ids = _match_barcodes(matrix_names, position_names)
    if not (rows >= 0).any():
        raise CountsError(
            f"no spot of {matrix} has a position in {positions.path}: its names are like {matrix_names.iloc[0]}, "
            f"those of the positions like {position_names.iloc[0]}",
            hint=SAME_RUN_HINT,
        )
    unplaced, outside = rows < 0, (rows >= 0) & ~positions.in_tissue[rows]
    mask = ~unplaced & ~outside
    uncounted = positions.in_tissue.copy()
    uncounted[rows[mask]] = False
    unmatched = np.mean(unplaced if raw else ~mask)
    if not mask.any() or min(unmatched, uncounted.sum() / positions.in_tissue.sum()) > MAX_UNMATCHED:
        raise CountsError(
            f"{matrix} and {positions.path} are from different sections: of {len(matrix_names)} spots with counts, "
            f"{unplaced.sum()} have no position and {outside.sum()} are not in tissue, and of "
            f"{positions.in_tissue.sum()} spots in tissue, {uncounted.sum()} have no counts",
            hint=SAME_RUN_HINT,
        )
    notes = (
        _note("spots with counts but no position, left out", matrix_names[unplaced]),
        _note(f"spots of {matrix.name} that are not in tissue, left out", matrix_names[outside]),
        _note("spots in tissue without counts, left out", position_names[uncounted]),
    )
    groups = np.where(mask, np.cumsum(mask) - 1, -1).astype(np.int32)
    return JoinedSpots(ids[mask], ids.to_numpy(dtype=object), rows[mask], groups, tuple(filter(None, notes)))


def _refuse_aggregated(barcodes: pd.Series[str], matrix: Path) -> None:
    groups = barcodes.str.extract(GEM_GROUP)[0].dropna().unique()
    if len(groups) > 1:
        suffixes = ", ".join(f"-{group}" for group in sorted(groups, key=int)[:4])
        raise CountsError(
            f"{matrix} holds the spots of {len(groups)} sections (their barcodes end in {suffixes}): "
            "it is an aggregated run",
            hint="ingest each section from its own run",
        )


def _match_barcodes(
    matrix_names: pd.Series[str], position_names: pd.Series[str]
) -> tuple[NDArray[np.int64], pd.Index[str]]:
    """Return the position row and the id of each barcode of the matrix, matched by name or by sixteen letters."""
    rows = pd.Index(position_names).get_indexer(pd.Index(matrix_names))
    if (rows >= 0).any():
        return rows, pd.Index(matrix_names)
    matrix_letters, position_letters = (
        names.str.extract(BARCODE_LETTERS)[0] for names in (matrix_names, position_names)
    )
    unique = matrix_letters.notna() & ~matrix_letters.duplicated(keep=False)
    index = pd.Index(
        position_letters.where(~position_letters.duplicated(keep=False) & position_letters.notna(), position_names)
    )
    by_letters = np.where(unique, index.get_indexer(pd.Index(matrix_letters)), -1)
    return by_letters, pd.Index(np.where(unique, matrix_letters + "-1", matrix_names))


def _note(text: str, names: pd.Series[str]) -> str:
    return f"{text}: {len(names)} ({first_names(list(names))})" if len(names) else ""
