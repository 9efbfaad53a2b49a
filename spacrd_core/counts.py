"""Raw counts: what every reader must give, and the sentence for what stands in their place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from spacrd_core.errors import CountsError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

MOST = np.iinfo(np.int32).max
RAW = "give the raw counts, before any normalisation or logarithm"


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
