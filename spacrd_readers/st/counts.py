"""Read a legacy ST counts table into a sparse AnnData: raw integers, spots x genes, whichever way the file stands."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Any

import anndata as ad
import numpy as np
import pandas as pd
from scipy import sparse

from spacrd_core.errors import CountsError
from spacrd_core.genes.names import ensembl_id
from spacrd_core.section.counts import require_counts
from spacrd_core.tables import read_text, split_header
from spacrd_readers.st.files import SPOT_ID

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

WANTED = "a tab-separated table is wanted: one axis spots named like 10x13, the other genes, raw counts in the cells"


def read_counts(path: Path) -> tuple[ad.AnnData, tuple[str, ...]]:
    """Return the counts of every spot of the file, in its order, and what the user should know.

    Spots are named ``XxY`` by their rounded array position. Genes named twice are summed.

    Raises
    ------
    CountsError
        If the table is not one of raw counts with spots along one axis.
    """
    values, spots, genes = _oriented(_read(path), path)
    _check_raw(values, spots, genes, path)
    ids = pd.Index([spot_id(*map(float, re.split("[x_]", spot))) for spot in spots], dtype=object)
    if not ids.is_unique:
        raise CountsError(f"{path} has spot {ids[ids.duplicated()][0]} more than once", hint="leave one row a spot")
    matrix, symbols, notes = _each_once(values, genes)
    counts = ad.AnnData(X=matrix, obs=pd.DataFrame(index=ids), var=_genes(symbols))
    return counts, notes


def spot_id(x: float, y: float) -> str:
    """Return the id of the spot nearest to an array position."""
    return f"{round(x)}x{round(y)}"


def some(names: Sequence[str]) -> str:
    """Return the first few of many names."""
    return ", ".join(list(names)[:5]) + (", ..." if len(names) > 5 else "")


def _read(path: Path) -> pd.DataFrame:
    """Return the table as it stands: row names as index, column names, numbers."""
    header, body = split_header(read_text(path, "counts table", CountsError), "\t")
    try:
        frame = pd.read_csv(
            io.StringIO(body), sep="\t", header=None, index_col=0, dtype={0: str}, na_filter=False, low_memory=False
        )
    except pd.errors.EmptyDataError as error:
        raise CountsError(f"the counts table {path} has a header and no rows", hint=WANTED) from error
    except pd.errors.ParserError as error:
        raise CountsError(f"the counts table {path} is not a table: {str(error).strip()}", hint=WANTED) from error
    columns = header[1:] if len(header) == frame.shape[1] + 1 else header  # R leaves the corner cell out
    if not frame.shape[1] or len(columns) != frame.shape[1]:
        raise CountsError(
            f"the header of the counts table {path} has {len(header)} names for {frame.shape[1] + 1} columns",
            hint=WANTED,
        )
    frame = frame.set_axis(columns, axis=1)
    for place, dtype in enumerate(frame.dtypes):
        if dtype.kind not in "iuf":
            column = frame.iloc[:, place]
            row = int(pd.to_numeric(column, errors="coerce").isna().argmax())
            raise CountsError(
                f"the counts table {path} has '{column.iloc[row]}' where a number was expected "
                f"(row {frame.index[row]}, column {columns[place]})",
                hint=WANTED,
            )
    return frame


def _oriented(frame: pd.DataFrame, path: Path) -> tuple[sparse.csr_matrix[Any], list[str], list[str]]:
    """Return counts as spots x genes, with the spots' and the genes' names."""
    rows, columns = [str(name).strip() for name in frame.index], [str(name) for name in frame.columns]
    other_rows, other_columns = ([name for name in names if not SPOT_ID.fullmatch(name)] for names in (rows, columns))
    if other_rows and other_columns:
        raise CountsError(
            f"neither the rows of {path} are all named like spots ({some(other_rows)} are not) "
            f"nor the columns ({some(other_columns)} are not)",
            hint=WANTED,
        )
    values = sparse.csr_matrix(frame.to_numpy())
    return (sparse.csr_matrix(values.T), columns, rows) if other_rows else (values, rows, columns)


def _check_raw(values: sparse.csr_matrix[Any], spots: list[str], genes: list[str], path: Path) -> None:
    def place(at: int) -> tuple[str, str]:
        return spots[int(np.searchsorted(values.indptr, at, side="right")) - 1], genes[values.indices[at]]

    require_counts(values.data, path, place)


def _each_once(
    values: sparse.csr_matrix[Any], genes: list[str]
) -> tuple[sparse.csr_matrix[Any], list[str], tuple[str, ...]]:
    """Return int32 counts with every gene once, in the order of the file."""
    place, symbols = pd.factorize(np.asarray(genes, dtype=object))
    if len(symbols) == len(genes):
        return values.astype(np.int32), genes, ()
    merge = sparse.csr_matrix((np.ones(len(genes), dtype=np.int64), (np.arange(len(genes)), place)))
    summed = sparse.csr_matrix(values.astype(np.int64) @ merge).astype(np.int32)
    names, counts = np.unique(np.asarray(genes, dtype=object), return_counts=True)
    twice = [str(name) for name in names[counts > 1]]
    return (
        summed,
        [str(name) for name in symbols],
        (f"genes named more than once, summed: {len(twice)} ({some(twice)})",),
    )


def _genes(symbols: list[str]) -> pd.DataFrame:
    ids = [ensembl_id(symbol) for symbol in symbols]
    return pd.DataFrame({"symbol": symbols, "gene_id": ids}, index=pd.Index(symbols, dtype=object))
