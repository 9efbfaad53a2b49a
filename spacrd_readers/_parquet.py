"""What parquet files declare, and the errors that damaged ones raise."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

# pyarrow's own errors are also these or ValueError; to pandas, it passes text that is not UTF-8.
DAMAGED_PARQUET_ERRORS = (pa.ArrowException, OSError, ValueError, TypeError, KeyError, MemoryError)
MAX_ROWS = 50_000_000  # the largest arrays of bins, of 2 um on 11 mm, have 31 million


def require_rows(metadata: Any) -> None:
    """Require that a parquet file does not declare more rows than any real one has.

    Raises
    ------
    ValueError
        If it does.
    """
    if not 0 <= metadata.num_rows <= MAX_ROWS:
        raise ValueError(f"it declares {metadata.num_rows:,} rows")
