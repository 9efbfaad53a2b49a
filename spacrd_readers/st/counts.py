"""Read a legacy ST counts table into a sparse AnnData: raw integers, spots x genes, from either orientation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anndata as ad
import numpy as np
import pandas as pd
from scipy import sparse

from spacrd_core.errors import CountsError
from spacrd_core.genes.clean import clean_names
from spacrd_core.section.counts import require_counts
from spacrd_readers._base import first_names
from spacrd_readers.st.files import SPOT_ID
from spacrd_readers.st.table import COUNTS_HINT, Table, read_table

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from spacrd_core.arrays import Array


def read_counts(path: Path) -> tuple[ad.AnnData, tuple[str, ...]]:
    """Return the counts of every spot, in the order of the file, and notes.

    Spots are named ``XxY`` after their rounded array position, and ``obs`` holds the position in their name. Counts of
    genes named twice are summed.

    Raises
    ------
    CountsError
        If the table does not hold raw counts with spots along one axis.
    """
    values, spots, genes = _orient(read_table(path), path)
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


def _orient(table: Table, path: Path) -> tuple[sparse.csr_matrix[Any], list[str], list[str]]:
    """Return counts as spots x genes, with the names of the spots and of the genes."""
    rows, columns = [name.strip() for name in table.rows], table.columns
    other_rows, other_columns = ([name for name in names if not SPOT_ID.fullmatch(name)] for names in (rows, columns))
    if other_rows and other_columns:
        raise CountsError(
            f"neither the rows nor the columns of {path} are all named like spots: "
            f"rows {first_names(other_rows)} and columns {first_names(other_columns)} are not",
            hint=COUNTS_HINT,
        )
    values = sparse.csr_matrix(table.values)
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
