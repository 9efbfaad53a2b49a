"""Bands on both sides of a tumour border: how a section is divided by its distance from it."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PositiveFloat, model_validator

if TYPE_CHECKING:
    import pandas as pd

TABLE_KEY = "bands"  # in a spot table's attrs
CORE, EDGE, INSIDE, OUTSIDE = "core", "edge", "inside", "outside"


def _as_list(value: object) -> object:
    return [value] if isinstance(value, int | float) and not isinstance(value, bool) else value


def _ascending(limits: tuple[float, ...]) -> tuple[float, ...]:
    if list(limits) != sorted(set(limits)):
        raise ValueError(f"distances must increase from the border on, not {list(limits)}")
    return limits


Limits = Annotated[
    tuple[Annotated[PositiveFloat, Field(allow_inf_nan=False)], ...],
    BeforeValidator(_as_list),
    AfterValidator(_ascending),
]


class Bands(BaseModel):
    """Where bands end, in um from the border of the cancer regions; the border itself always divides two bands.

    By default, the two bands at the border are 500 um wide. Together they are the invasive margin as pathologists
    count immune cells in it, 1 mm wide and centred on the border (Hendry et al., Adv Anat Pathol 2017, 24:235).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    inside_um: Limits = Field((500.0,), description="Ends of bands inside the cancer regions, in um from the border.")
    outside_um: Limits = Field((500.0,), description="Ends of bands outside the cancer regions, in um from the border.")

    @model_validator(mode="after")
    def _require_distinct_names(self) -> Self:
        if len(set(self.names)) < len(self.names):
            raise ValueError("distances must differ in their first six digits")
        return self

    @property
    def limits_um(self) -> tuple[float, ...]:
        """Signed distances at which a band ends and the next one begins, from the core outwards."""
        return (*(-um for um in reversed(self.inside_um)), 0.0, *self.outside_um)

    @property
    def names(self) -> tuple[str, ...]:
        """The name of every band, from the core outwards: one more than ``limits_um``."""
        inner = [f"{low:g} to {high:g} um inside" for low, high in _pairs(self.inside_um)]
        outer = [f"{low:g} to {high:g} um outside" for low, high in _pairs((0.0, *self.outside_um))]
        inside = [CORE, *reversed(inner), EDGE] if self.inside_um else [INSIDE]
        return (*inside, *outer, f"over {self.outside_um[-1]:g} um outside" if self.outside_um else OUTSIDE)

    @property
    def descriptions(self) -> tuple[str, ...]:
        """The names of the bands, with the distances of those whose names have none."""
        if not self.inside_um:
            return self.names
        distances = {CORE: f"over {self.inside_um[-1]:g} um inside", EDGE: f"up to {self.inside_um[0]:g} um inside"}
        return tuple(f"{name} ({distances[name]})" if name in distances else name for name in self.names)

    def attach(self, table: pd.DataFrame) -> None:
        """Store the bands in a spot table, so that every later output divides the section in the same way."""
        table.attrs[TABLE_KEY] = self.model_dump(mode="json")

    @classmethod
    def from_table(cls, table: pd.DataFrame) -> Bands:
        """Return the bands stored in a spot table; the default ones if it was called by an earlier version."""
        stored: dict[str, Any] = table.attrs.get(TABLE_KEY, {})
        return cls(**stored)


def _pairs(limits: tuple[float, ...]) -> list[tuple[float, float]]:
    return list(pairwise(limits))
