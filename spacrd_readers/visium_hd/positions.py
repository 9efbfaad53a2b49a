"""Tables of the positions of bins, read in batches: parquet as Space Ranger writes it, or a CSV made of it.

A table lists every bin of the array (eleven million of 2 um).
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from pyarrow import csv, parquet

from spacrd_core.errors import GeometryError, SpacrdError
from spacrd_core.opening.inflate import GZIP_ERRORS, open_inflated
from spacrd_core.opening.kinds import refuse_special
from spacrd_core.tables import find_delimiter, read_beginning, split_header
from spacrd_readers._parquet import DAMAGED_PARQUET_ERRORS, MAX_BINS, require_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

PARQUET = "tissue_positions.parquet"
CSV_FILES = tuple(f"tissue_positions.{suffix}" for suffix in ("csv", "csv.gz", "tsv", "tsv.gz"))
POSITION_FILES = (PARQUET, *CSV_FILES)  # in order of preference
POSITION_COLUMNS = ("in_tissue", "array_row", "array_col", "pxl_row_in_fullres", "pxl_col_in_fullres")
ROWS_PER_BATCH = 2**16
BUFFER_BYTES = 2**20  # without a buffer size, a column of eleven million rows is fetched whole
BLOCK_BYTES = 2**22  # of text per batch
COPY_AGAIN = "copy it again from the run"


@dataclass(frozen=True, eq=False)
class PositionsTable:
    """An open table.

    Attributes
    ----------
    columns, rows
        The names of its columns, and its number of rows.
    first_barcode
        The name of the first bin; '' if there is none.
    batches
        Yields record batches of ``POSITION_COLUMNS``.
    """

    columns: tuple[str, ...]
    rows: int
    first_barcode: str
    batches: Callable[[], Iterator[Any]]


@contextmanager
def open_positions(path: Path) -> Iterator[PositionsTable]:
    """Open a table of positions.

    Raises
    ------
    GeometryError
        If it cannot be read.
    """
    is_parquet = path.suffix == ".parquet"
    refuse_special(path, GeometryError)
    try:
        with _open_parquet(path) if is_parquet else _open_csv(path) as table:
            yield table
    except (*DAMAGED_PARQUET_ERRORS, *GZIP_ERRORS) as error:
        if isinstance(error, SpacrdError):
            raise
        kind = "parquet" if is_parquet else "CSV"
        raise GeometryError(f"the positions {path} are not a {kind} table: {error}", hint=COPY_AGAIN) from error


@contextmanager
def _open_parquet(path: Path) -> Iterator[PositionsTable]:
    with parquet.ParquetFile(path, buffer_size=BUFFER_BYTES, pre_buffer=False) as file:
        require_rows(path, file.metadata, MAX_BINS)
        columns, rows = tuple(file.schema_arrow.names), file.metadata.num_rows
        if texts := [name for name in POSITION_COLUMNS if name in columns and not _is_number(file.schema_arrow, name)]:
            raise ValueError(f"it has no numbers in {', '.join(texts)}")
        first = ""
        if "barcode" in columns and rows:
            first = str(next(file.iter_batches(batch_size=1, columns=["barcode"])).column(0)[0].as_py())
        wanted = list(POSITION_COLUMNS)
        yield PositionsTable(columns, rows, first, lambda: file.iter_batches(batch_size=ROWS_PER_BATCH, columns=wanted))


def _is_number(schema: Any, name: str) -> bool:
    kind = schema.field(name).type
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind))


@contextmanager
def _open_csv(path: Path) -> Iterator[PositionsTable]:
    beginning = read_beginning(path, "positions", GeometryError)
    delimiter = find_delimiter(beginning.partition("\n")[0])
    names, body = split_header(beginning, delimiter)
    if is_bare := re.search(r"\d$", names[-1]) is not None:  # a number of px
        names, body = ["barcode", *POSITION_COLUMNS], beginning
    decimal_comma = delimiter != "," and re.search(r"\d,\d", body)
    first_row = dict(zip(names, split_header(body, delimiter)[0], strict=False))
    read = csv.ReadOptions(block_size=BLOCK_BYTES, column_names=names if is_bare else None)
    convert = csv.ConvertOptions(
        include_columns=list(POSITION_COLUMNS),
        column_types=dict.fromkeys(POSITION_COLUMNS, pa.float64()),
        decimal_point="," if decimal_comma else ".",
    )
    parse = csv.ParseOptions(delimiter=delimiter)
    yield PositionsTable(
        tuple(names),
        _count_lines(path),
        first_row.get("barcode", ""),
        lambda: iter(csv.open_csv(path, read_options=read, parse_options=parse, convert_options=convert)),
    )


def _count_lines(path: Path) -> int:
    with open_inflated(path, GeometryError) as stream:
        return sum(chunk.count(b"\n") for chunk in iter(lambda: stream.read(BLOCK_BYTES), b""))
