"""What parquet files declare, and the errors that damaged ones raise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa

from spacrd_core.opening.declared import FREE_BYTES, MAX_EXPANSION

if TYPE_CHECKING:
    from pathlib import Path

# pyarrow's own errors are also these or ValueError; to pandas, it passes text that is not UTF-8.
DAMAGED_PARQUET_ERRORS = (pa.ArrowException, OSError, ValueError, TypeError, KeyError, MemoryError)
MAX_BINS = 50_000_000  # the largest arrays, of bins of 2 um on 11 mm, have 31 million
MAX_CELLS = 10_000_000  # the largest Xenium bundles have two million
MAX_SPOTS = 1_000_000  # a capture area of 11 mm has 15,000


def require_rows(path: Path, metadata: Any, most: int) -> None:
    """Require that a parquet file does not declare more rows than any real one has, or far more bytes than it holds.

    Raises
    ------
    ValueError
        If it does.
    """
    if not 0 <= metadata.num_rows <= most:
        raise ValueError(f"it declares {metadata.num_rows:,} rows")
    size = sum(metadata.row_group(number).total_byte_size for number in range(metadata.num_row_groups))
    if size > max(FREE_BYTES, MAX_EXPANSION * path.stat().st_size):
        raise ValueError(f"it unpacks to more than {MAX_EXPANSION} times its size")
