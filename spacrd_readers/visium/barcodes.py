"""Find the position of every barcode of a matrix: deposited files lack the ``-1``, or have a sample's name about them.

All slides of one kind have the same barcodes, so a join proves nothing: which spots are in tissue does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from spacrd_core.errors import CountsError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from spacrd_readers.visium.positions import Positions

STRANGERS = 0.1
LETTERS = r"(?<![ACGT])([ACGT]{16})(?![ACGT])"
GEM_GROUP = r"-(\d+)$"
TOGETHER = "give the matrix and the spatial folder of one run; --set reader.spatial=FOLDER"


@dataclass(frozen=True, eq=False)
class Joined:
    """The spots of a matrix that are in tissue.

    Attributes
    ----------
    ids
        Their ids, in the order of the matrix; ``order`` has those of all its barcodes.
    rows
        Where each is in the table of positions.
    groups
        For every barcode of the matrix the number of its spot, or -1.
    """

    ids: pd.Index[str]
    order: NDArray[np.object_]
    rows: NDArray[np.int64]
    groups: NDArray[np.int32]
    notes: tuple[str, ...]


def join_spots(barcodes: NDArray[np.bytes_], positions: Positions, matrix: Path, *, raw: bool) -> Joined:
    """Return the spots in tissue, and who was left out; ``raw`` matrices hold the whole capture area.

    Raises
    ------
    CountsError
        If the matrix is of several runs, or of another section than the positions.
    """
    ours, theirs = (pd.Series(names.astype(str)) for names in (barcodes, positions.barcodes))
    _refuse_aggregated(ours, matrix)
    found, ids = _places(ours, theirs)
    if not (found >= 0).any():
        raise CountsError(
            f"no spot of {matrix} has a position in {positions.path}: names like {ours.iloc[0]} in the one, "
            f"{theirs.iloc[0]} in the other",
            hint=TOGETHER,
        )
    unplaced, outside = found < 0, (found >= 0) & ~positions.in_tissue[found]
    kept = ~unplaced & ~outside
    uncounted = positions.in_tissue.copy()
    uncounted[found[kept]] = False
    strange = np.mean(unplaced if raw else ~kept)
    if not kept.any() or min(strange, uncounted.sum() / positions.in_tissue.sum()) > STRANGERS:
        raise CountsError(
            f"{matrix} and {positions.path} are not of one section: of {len(ours)} spots with counts "
            f"{unplaced.sum()} have no position and {outside.sum()} are not in tissue, and of "
            f"{positions.in_tissue.sum()} spots in tissue {uncounted.sum()} have no counts",
            hint=TOGETHER,
        )
    notes = (
        _note("spots with counts but no position, left out", ours[unplaced]),
        _note(f"spots of {matrix.name} that are not in tissue, left out", ours[outside]),
        _note("spots in tissue without counts, left out", theirs[uncounted]),
    )
    groups = np.where(kept, np.cumsum(kept) - 1, -1).astype(np.int32)
    return Joined(ids[kept], ids.to_numpy(dtype=object), found[kept], groups, tuple(filter(None, notes)))


def _refuse_aggregated(barcodes: pd.Series[str], matrix: Path) -> None:
    groups = barcodes.str.extract(GEM_GROUP)[0].dropna().unique()
    if len(groups) > 1:
        shown = ", ".join(f"-{group}" for group in sorted(groups, key=int)[:4])
        raise CountsError(
            f"{matrix} holds the spots of {len(groups)} sections (their barcodes end in {shown}): "
            "it is an aggregated run",
            hint="ingest each section from its own run",
        )


def _places(ours: pd.Series[str], theirs: pd.Series[str]) -> tuple[NDArray[np.int64], pd.Index[str]]:
    """Return where each of our barcodes is among theirs, and its id: as it stands, or by its sixteen letters."""
    found = pd.Index(theirs).get_indexer(pd.Index(ours))
    if (found >= 0).any():
        return found, pd.Index(ours)
    our_letters, their_letters = (names.str.extract(LETTERS)[0] for names in (ours, theirs))
    known = our_letters.notna() & ~our_letters.duplicated(keep=False)
    among = pd.Index(their_letters.where(~their_letters.duplicated(keep=False) & their_letters.notna(), theirs))
    by_letters = np.where(known, among.get_indexer(pd.Index(our_letters)), -1)
    return by_letters, pd.Index(np.where(known, our_letters + "-1", ours))


def _note(text: str, names: pd.Series[str]) -> str:
    some = ", ".join(names.iloc[:5]) + (", ..." if len(names) > 5 else "")
    return f"{text}: {len(names)} ({some})" if len(names) else ""
