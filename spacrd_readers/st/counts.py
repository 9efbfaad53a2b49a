"""Read a legacy ST counts table into a sparse AnnData: raw integers, spots x genes, from either orientation."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import anndata as ad
import numpy as np
import pandas as pd
from scipy import sparse

from spacrd_core.errors import CountsError
from spacrd_core.genes.clean import clean_names, is_ensembl_id
from spacrd_core.section.counts import require_counts
from spacrd_core.tables import find_delimiter, read_text, split_header
from spacrd_readers._base import first_names
from spacrd_readers.st.files import SPOT_ID

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from spacrd_core.arrays import Array

COUNTS_HINT = "give a table (TSV or CSV) of raw counts: spots named like 10x13 along one axis, genes along the other"


def read_counts(path: Path) -> tuple[ad.AnnData, tuple[str, ...]]:
    """Return the counts of every spot, in the order of the file, and notes.

    Spots are named ``XxY`` after their rounded array position, and ``obs`` holds the position in their name. Counts of
    genes named twice are summed.

    Raises
    ------
    CountsError
        If the table does not hold raw counts with spots along one axis.
    """
    values, spots, genes = _orient(_read(path), path)
    _check_raw(values, spots, genes, path)
    array = array_positions(spots)
    ids = pd.Index([spot_id(x, y) for x, y in array.tolist()], dtype=object)
    if not ids.is_unique:
        raise CountsError(f"{path} has spot {ids[ids.duplicated()][0]} more than once", hint="keep one row per spot")
    names = clean_names(genes)
    matrix, symbols, notes = _sum_duplicates(values, names.symbols)
    gene_ids = dict(zip(reversed(names.symbols), reversed(names.gene_ids), strict=True))
    var = pd.DataFrame(
        {"symbol": symbols, "gene_id": [gene_ids[symbol] for symbol in symbols]}, index=pd.Index(symbols, dtype=object)
    )
    obs = pd.DataFrame(array, index=ids, columns=["array_x", "array_y"])
    return ad.AnnData(X=matrix, obs=obs, var=var), (*names.notes, *notes)


def array_positions(names: Iterable[str]) -> Array:
    """Return the array positions in the names of spots, n x 2."""
    matches = (SPOT_ID.fullmatch(name) for name in names)
    return np.array([(float(match["x"]), float(match["y"])) for match in matches if match]).reshape(-1, 2)


def spot_id(x: float, y: float) -> str:
    """Return the id of the spot nearest to an array position."""
    return f"{round(x)}x{round(y)}"


def _read(path: Path) -> pd.DataFrame:
    """Return the numbers of the table with its row and column names, in the orientation of the file."""
    text = read_text(path, "counts table", CountsError)
    delimiter = find_delimiter(text.partition("\n")[0])
    header, body = split_header(text, delimiter)
    try:
        frame = pd.read_csv(
            io.StringIO(body),
            sep=delimiter,
            header=None,
            index_col=0,
            dtype={0: str},
            na_filter=False,
            low_memory=False,
        )
    except pd.errors.EmptyDataError as error:
        raise CountsError(f"the counts table {path} has a header but no rows", hint=COUNTS_HINT) from error
    except pd.errors.ParserError as error:
        raise CountsError(f"the counts table {path} is not a table: {str(error).strip()}", hint=COUNTS_HINT) from error
    columns = header[1:] if len(header) == frame.shape[1] + 1 else header  # R omits the corner cell
    if not frame.shape[1] or len(columns) != frame.shape[1]:
        raise CountsError(
            f"the header of the counts table {path} has {len(header)} names for {frame.shape[1] + 1} columns",
            hint=COUNTS_HINT,
        )
    frame = _join_names(frame.set_axis(columns, axis=1))
    for index, dtype in enumerate(frame.dtypes):
        if dtype.kind not in "iuf":
            column = frame.iloc[:, index]
            row = int(pd.to_numeric(column, errors="coerce").isna().argmax())
            raise CountsError(
                f"the counts table {path} has '{column.iloc[row]}' where a number was expected "
                f"(row {frame.index[row]}, column {columns[index]})",
                hint=COUNTS_HINT,
            )
    return frame


def _join_names(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a table whose rows are named in two columns, by symbol and Ensembl id, with both names in the first."""
    second = frame.iloc[:, 0]
    if second.dtype.kind in "iuf" or not any(map(is_ensembl_id, (*second.astype(str), *frame.index))):
        return frame
    names = [f"{name} {other}" for name, other in zip(frame.index, second, strict=True)]
    return frame.iloc[:, 1:].set_axis(names, axis=0)


def _orient(frame: pd.DataFrame, path: Path) -> tuple[sparse.csr_matrix[Any], list[str], list[str]]:
    """Return counts as spots x genes, with the names of the spots and of the genes."""
    rows, columns = [str(name).strip() for name in frame.index], [str(name) for name in frame.columns]
    other_rows, other_columns = ([name for name in names if not SPOT_ID.fullmatch(name)] for names in (rows, columns))
    if other_rows and other_columns:
        raise CountsError(
            f"neither the rows nor the columns of {path} are all named like spots: "
            f"rows {first_names(other_rows)} and columns {first_names(other_columns)} are not",
            hint=COUNTS_HINT,
        )
    values = sparse.csr_matrix(frame.to_numpy())
    return (sparse.csr_matrix(values.T), columns, rows) if other_rows else (values, rows, columns)


def _check_raw(values: sparse.csr_matrix[Any], spots: list[str], genes: list[str], path: Path) -> None:
    def spot_and_gene(index: int) -> tuple[str, str]:
        return spots[int(np.searchsorted(values.indptr, index, side="right")) - 1], genes[values.indices[index]]

    require_counts(values.data, path, spot_and_gene)


def _sum_duplicates(
    values: sparse.csr_matrix[Any], genes: list[str]
) -> tuple[sparse.csr_matrix[Any], list[str], tuple[str, ...]]:
    """Return int32 counts with one column per gene, in the order of the file."""
    columns, symbols = pd.factorize(np.asarray(genes, dtype=object))
    if len(symbols) == len(genes):
        return values.astype(np.int32), genes, ()
    merge = sparse.csr_matrix((np.ones(len(genes), dtype=np.int64), (np.arange(len(genes)), columns)))
    summed = sparse.csr_matrix(values.astype(np.int64) @ merge).astype(np.int32)
    names, counts = np.unique(np.asarray(genes, dtype=object), return_counts=True)
    repeated = [str(name) for name in names[counts > 1]]
    return (
        summed,
        [str(name) for name in symbols],
        (f"genes named more than once, summed: {len(repeated)} ({first_names(repeated)})",),
    )
