"""Names as arrays of bytes, which have room for the longest name in every place: no name may be long."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from spacrd_core.errors import CountsError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from numpy.typing import NDArray

    from spacrd_core.errors import SpacrdError

MAX_NAME_BYTES = 256  # of a barcode or the id of a cell; real ones have up to forty


def as_bytes(names: Iterable[object], source: Path | str, error: type[SpacrdError] = CountsError) -> NDArray[np.bytes_]:
    """Return the names of spots, bins or cells as bytes; ``source`` is named in errors.

    Raises
    ------
    SpacrdError
        Of the type ``error``, if one is longer than any name of a spot, bin or cell.
    """
    encoded = [name if isinstance(name, bytes) else str(name).encode() for name in names]
    if (longest := max(map(len, encoded), default=0)) > MAX_NAME_BYTES:
        raise error(
            f"{source} is damaged: the name of a spot, bin or cell in it has {longest:,} letters",
            hint="copy or download it again",
        )
    return np.array(encoded, dtype=np.bytes_)
