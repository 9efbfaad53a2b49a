"""Checks that values are raw counts, which every reader must return."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from spacrd_core.errors import CountsError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray
    from scipy import sparse

MAX_COUNT = np.iinfo(np.int32).max
RAW_HINT = "give the raw counts, before any normalisation or logarithm"
MIN_GENES = 500  # in small panels with deep sequencing, every gene may be counted more than once
MAX_FRACTION_WITHOUT_SINGLES = 0.9


def are_counts(values: NDArray[Any]) -> NDArray[np.bool_]:
    """Return the mask of values that can be counts: whole numbers from 0 to the largest int32."""
    in_range = (values >= 0) & (values <= MAX_COUNT)
    return in_range if values.dtype.kind in "iu" else in_range & (values == np.rint(values))


def require_counts(
    values: NDArray[Any], table: Path | str, locate: Callable[[int], tuple[str, str]], *, hint: str = RAW_HINT
) -> None:
    """Refuse values of a table that are not counts; ``locate`` returns the spot and the gene of the value at an index.

    Raises
    ------
    CountsError
        If a value is negative, not whole, or not finite.
    """
    valid = are_counts(values)
    if valid.all():
        return
    first = int(valid.argmin())
    spot, gene = locate(first)
    raise CountsError(f"{table} holds no raw counts: {values[first]:g} at spot {spot}, gene {gene}", hint=hint)


def require_single_counts(counts: sparse.csr_matrix[Any], table: Path | str) -> None:
    """Refuse whole numbers that were normalised and rounded: in most spots no gene has a count of 1.

    If many genes are measured, some of them always have a single molecule.

    Raises
    ------
    CountsError
        If more than 90% of the spots with many genes have no count of 1.
    """
    gene_rich = np.flatnonzero(np.diff(counts.indptr) >= MIN_GENES)
    if not len(gene_rich):
        return
    non_empty = np.flatnonzero(np.diff(counts.indptr))
    has_single = np.zeros(counts.shape[0], dtype=bool)
    has_single[non_empty] = np.logical_or.reduceat(counts.data == 1, counts.indptr[non_empty])
    fraction = float((~has_single[gene_rich]).mean())
    if fraction > MAX_FRACTION_WITHOUT_SINGLES:
        raise CountsError(
            f"{table} holds no raw counts: {fraction:.0%} of the spots have no gene with a count of 1, as after "
            "scaling and rounding",
            hint=RAW_HINT,
        )
