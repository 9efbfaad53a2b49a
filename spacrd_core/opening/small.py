"""Read files that are small by nature, settings and records: a sparse file of a terabyte has a kilobyte on disk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spacrd_core.errors import InputError, SpacrdError
from spacrd_core.opening.kinds import refuse_special

if TYPE_CHECKING:
    from pathlib import Path

MAX_SMALL_BYTES = 2**24  # of settings, gene lists and figures; a detector of 8,000 genes has half a megabyte
MAX_RECORD_BYTES = 2**28  # the manifest of a store has five to ten kilobytes for each section


def read_small(path: Path, error: type[SpacrdError] = InputError, *, limit: int = MAX_SMALL_BYTES) -> bytes:
    """Return the content of a file.

    Raises
    ------
    SpacrdError
        Of the type ``error``, if it is not a file, or larger than any of its kind is.
    """
    refuse_special(path, error)
    with path.open("rb") as stream:
        data = stream.read(limit + 1)
    if len(data) > limit:
        raise error(f"{path} is larger than {limit >> 20} MiB, which no file of its kind is", hint="copy it again")
    return data
