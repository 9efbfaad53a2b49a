"""Parse TOML of unknown origin: its parser takes the square of the length of a dotted key."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING, Any

from spacrd_core.opening.small import read_small

if TYPE_CHECKING:
    from pathlib import Path

    from spacrd_core.errors import SpacrdError

MAX_TOML_BYTES = 2**20  # the longest gene lists have ten kilobytes
MAX_DOTS = 100  # of a key
KEY = re.compile(r"""[\w.\- \t"']+""")


def read_toml(file: Path, error: type[SpacrdError], *, hint: str) -> dict[str, Any]:
    """Return the content of a TOML file.

    Raises
    ------
    SpacrdError
        Of the type ``error``, with the ``hint``, if it is not TOML, or larger or deeper than any real one.
    """
    content = read_small(file, error, limit=MAX_TOML_BYTES)
    try:
        return tomllib.loads(_with_short_keys(content.decode("utf-8-sig")))
    except (ValueError, RecursionError) as cause:  # not TOML, not text, or nested too deeply for the parser
        raise error(f"{file} is not TOML: {cause}", hint=hint) from cause


def _with_short_keys(text: str) -> str:
    if any(match[0].count(".") > MAX_DOTS for match in KEY.finditer(text)):
        raise ValueError(f"a key has more than {MAX_DOTS} dots")
    return text
