"""Parse the numbers of a label table, with a decimal point or a decimal comma."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from spacrd_core.arrays import Array

COMMA_GROUPS = r"[+-]?\d{1,3}(,\d{3})+\.\d*"  # 1,234.5
DECIMAL_COMMA = r"[+-]?\d[\d.' ]*,\d*(e[+-]?\d+)?"  # 1234,5 or 1.234,5
GROUPED = r"[+-]?\d{1,3}([.' ]\d{3})+(,\d*)?"  # 1.234 or 1.234,5, where the decimal sign is a comma
BLANK_NUMBERS = ("", "na", "nan")


def parse_numbers(cells: pd.Series[str]) -> Array:
    """Return the number in every cell, NaN where there is none; a column has one decimal sign throughout."""
    texts = cells.str.strip().str.casefold()
    if texts.str.contains(",", regex=False).any():
        texts = _with_decimal_point(texts)
    numbers: Array = pd.to_numeric(texts, errors="coerce").to_numpy(dtype=float, na_value=float("nan"))
    return numbers


def is_blank_number(cells: pd.Series[str]) -> pd.Series[bool]:
    """Return the mask of cells that state no number."""
    return cells.str.strip().str.casefold().isin(BLANK_NUMBERS)


def _with_decimal_point(texts: pd.Series[str]) -> pd.Series[str]:
    if texts.str.fullmatch(COMMA_GROUPS).any():
        return texts.str.replace(",", "", regex=False)
    if not texts.str.fullmatch(DECIMAL_COMMA).any():
        return texts
    ungrouped = texts.str.replace(r"[.' ]", "", regex=True)
    return texts.mask(texts.str.fullmatch(GROUPED), ungrouped).str.replace(",", ".", regex=False)
