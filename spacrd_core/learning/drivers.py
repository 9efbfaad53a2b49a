"""The genes that drive a section's calls: they travel with its table, as what it was called by does."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

KEY = "genes"


@dataclass(frozen=True)
class Driver:
    """A gene that pushes the spots called cancer towards cancer, or holds them back.

    Attributes
    ----------
    attribution
        What it adds to their log odds, in the mean; below 0 where it speaks for normal.
    mean_cancer, mean_normal
        Its mean expression (log1p of counts per 10,000) in the spots called so; None where none was called normal.
    """

    gene: str
    attribution: float
    mean_cancer: float
    mean_normal: float | None


def write_drivers(drivers: Sequence[Driver], table: pd.DataFrame) -> None:
    """Write them on a spot table; the store keeps them with the table."""
    table.attrs[KEY] = [asdict(driver) for driver in drivers]


def drivers_of(table: pd.DataFrame) -> tuple[Driver, ...]:
    """Return what a spot table says of them; none where an older SpaCRD wrote it."""
    return tuple(Driver(**facts) for facts in table.attrs.get(KEY, ()))
