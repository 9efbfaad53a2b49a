"""Whether the cancer regions of a section are drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, cast, get_args

if TYPE_CHECKING:
    import pandas as pd

RegionsRule = Literal["auto", "always", "never"]
TABLE_KEY = "regions"  # in a spot table's attrs


def attach_regions_rule(rule: RegionsRule, table: pd.DataFrame) -> None:
    """Store the rule in a spot table, so that every later output draws the same regions."""
    table.attrs[TABLE_KEY] = rule


def regions_rule(table: pd.DataFrame) -> RegionsRule:
    """Return the rule stored in a spot table; ``auto`` if another version called it, which had none or knows others."""
    stored = table.attrs.get(TABLE_KEY)
    return cast("RegionsRule", stored) if stored in get_args(RegionsRule) else "auto"
