"""What parquet files declare, and the errors that damaged ones raise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet

from spacrd_core.opening.declared import FREE_BYTES, MAX_EXPANSION
from spacrd_core.opening.names import MAX_NAME_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

# pyarrow's own errors are also these or ValueError; to pandas, it passes text that is not UTF-8.
DAMAGED_PARQUET_ERRORS = (pa.ArrowException, OSError, ValueError, TypeError, KeyError, MemoryError)
MAX_BINS = 50_000_000  # the largest arrays, of bins of 2 um on 11 mm, have 31 million
MAX_CELLS = 10_000_000  # the largest Xenium bundles have two million
MAX_SPOTS = 1_000_000  # a capture area of 11 mm has 15,000


def read_columns(path: Path, columns: Iterable[str], most: int) -> Any:
    """Return some columns of a parquet file of at most ``most`` rows as an Arrow table.

    Text is read by its different values first: a thousand bytes can say a million times that a name has a megabyte.

    Raises
    ------
    ValueError
        If it declares more rows, or has a text that is not a name.
    """
    schema = parquet.read_schema(path)
    names = list(columns)
    with parquet.ParquetFile(path, read_dictionary=[name for name in names if _is_text(schema, name)]) as file:
        require_rows(path, file.metadata, most)
        table = file.read(columns=names)
    for number, column in enumerate(table.columns):
        if pa.types.is_dictionary(column.type):
            table = table.set_column(number, table.field(number).name, _decoded(column))
    return table


def _is_text(schema: Any, name: str) -> bool:
    kind = schema.field(name).type
    return any(test(kind) for test in (pa.types.is_string, pa.types.is_binary, pa.types.is_large_string))


def _decoded(column: Any) -> Any:
    """Return the values of a column of references to them."""
    values = column.type.value_type
    if pa.types.is_string(values) or pa.types.is_binary(values) or pa.types.is_large_string(values):
        lengths = [pc.max(pc.binary_length(chunk.dictionary)).as_py() or 0 for chunk in column.chunks]
        if max(lengths, default=0) > MAX_NAME_BYTES:
            raise ValueError(f"a name in it has {max(lengths):,} letters")
    return column.cast(values)


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
