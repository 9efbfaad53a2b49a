"""How a section's spots were called: it travels with their table, so that everything shown says the real threshold."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

KEY = "called"


@dataclass(frozen=True)
class Called:
    """The threshold and where it comes from, the level of the sets, and the level at which one makes a spot uncertain.

    Levels are None where fewer than two patients were held out, and there are no sets.
    """

    threshold: float
    threshold_rule: str
    alpha: float | None = None
    label_alpha: float | None = None

    def write_on(self, table: pd.DataFrame) -> None:
        """Write it on a spot table; the store keeps it with the table."""
        table.attrs[KEY] = asdict(self)

    @classmethod
    def of(cls, table: pd.DataFrame) -> Called | None:
        """Return what a spot table says of itself; None where an older SpaCRD wrote it."""
        return cls(**table.attrs[KEY]) if KEY in table.attrs else None
