"""Raw counts: what every reader must give, and the sentence for what stands in their place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from spacrd_core.errors import CountsError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray
    from scipy import sparse

MOST = np.iinfo(np.int32).max
RAW = "give the raw counts, before any normalisation or logarithm"
MANY_GENES = 500  # a few hundred may all be counted often: small panels, read deeply
MOST_SPOTS = 0.9


def are_counts(values: NDArray[Any]) -> NDArray[np.bool_]:
    """Return which values can be counts: whole numbers from 0 to what an int32 holds."""
    fitting = (values >= 0) & (values <= MOST)
    return fitting if values.dtype.kind in "iu" else fitting & (values == np.rint(values))


def require_counts(values: NDArray[Any], table: Path | str, place: Callable[[int], tuple[str, str]]) -> None:
    """Refuse values of a table that are no counts; ``place`` says the spot and the gene of the value at an index.

    Raises
    ------
    CountsError
        If a value is negative, not whole, or not finite.
    """
    good = are_counts(values)
    if good.all():
        return
    first = int(good.argmin())
    spot, gene = place(first)
    raise CountsError(f"{table} holds no raw counts: {values[first]:g} at spot {spot}, gene {gene}", hint=RAW)


def require_single_counts(counts: sparse.csr_matrix[Any], table: Path | str) -> None:
    """Refuse whole numbers that were normalised and rounded: no gene of most spots is counted once.

    Where many genes are measured, some of them are always caught by a single molecule.

    Raises
    ------
    CountsError
        If that is so.
    """
    rich = np.flatnonzero(np.diff(counts.indptr) >= MANY_GENES)
    if not len(rich):
        return
    filled = np.flatnonzero(np.diff(counts.indptr))
    once = np.zeros(counts.shape[0], dtype=bool)
    once[filled] = np.logical_or.reduceat(counts.data == 1, counts.indptr[filled])
    without = float((~once[rich]).mean())
    if without > MOST_SPOTS:
        raise CountsError(
            f"{table} holds no raw counts: in {without:.0%} of the spots no gene is counted once, as after scaling "
            "and rounding",
            hint=RAW,
        )
