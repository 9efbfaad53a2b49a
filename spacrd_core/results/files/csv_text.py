"""Text from outside in CSV files: a spreadsheet must show it, and not run it as a formula.

Excel, LibreOffice and Google Sheets compute a cell that begins with ``=``, ``+``, ``-`` or ``@``, also after blanks and
with quotes around it, and can be made to start programs or send data. An apostrophe before it makes it text
(https://owasp.org/www-community/attacks/CSV_Injection). Ids, genes and numbers as they occur are not changed.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Iterable

# At the beginning, or where a spreadsheet of another country or setting begins a new cell.
FORMULA = re.compile(r"(?:^|(?<=[;|\t\r\n]))(?=[\s\0\"']*[=+\-@\uff1d\uff0b\uff0d\uff20])|^(?=[\t\r])")
NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*")
HARMLESS = re.compile(r"[\w.:/()-]*\w", re.ASCII)


def as_text(value: str) -> str:
    """Return text for a cell, with an apostrophe where a spreadsheet would begin a formula."""
    if NUMBER.fullmatch(value) or (HARMLESS.fullmatch(value) and value[0] != "-"):
        return value
    return FORMULA.sub("'", value)


def as_texts(values: Iterable[object]) -> pd.Index:
    """Return the texts of a column or of row names for the cells of a table."""
    index = values if isinstance(values, pd.Index) else pd.Index(values, dtype=object)
    return pd.Index([as_text(str(value)) for value in index], dtype=object, name=index.name)
