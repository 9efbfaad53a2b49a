"""Read one matrix of an AnnData file as sparse int32 counts, in blocks: a dense matrix is never loaded whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
import zarr
from anndata.io import sparse_dataset
from scipy import sparse

from spacrd_core.errors import CountsError, InputError
from spacrd_core.opening.whole import require_whole
from spacrd_core.section.counts import are_counts
from spacrd_readers.anndata.file import COPY_AGAIN, translate_errors

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spacrd_readers.anndata.file import AnnDataFile

BLOCK_VALUES = 2**22  # values read at once
MAX_LOG_VALUE = 20.0  # e^20 is 485 million, more counts than any spot has

Values = np.ndarray[Any, Any]


def load_counts(file: AnnDataFile, key: str, rows: NDArray[np.int64], *, spots: int) -> sparse.csr_matrix[Any]:
    """Return rows (in ascending order) of a matrix that has one row for each of the file's ``spots``.

    Raises
    ------
    CountsError
        If the matrix does not hold counts; the message continues its name (``looks scaled (down to -1.3)``).
    InputError
        If the matrix is damaged.
    """
    node = file.node(key)
    with translate_errors(file.path):
        shape = node.shape if _is_dense(node) else sparse_dataset(node).shape
        if not shape:
            raise CountsError("is empty")
        if shape[0] != spots:
            raise InputError(f"{key} of {file.path} has {shape[0]} rows for {spots} spots", hint=COPY_AGAIN)
        counts = _from_dense(node, rows) if _is_dense(node) else _from_sparse(node, rows)
        counts.check_format(full_check=True)
    counts.sum_duplicates()
    counts.eliminate_zeros()
    if counts.shape[1] and not counts.nnz:
        raise CountsError("holds only zeros")
    return counts


def _is_dense(node: Any) -> bool:
    return isinstance(node, h5py.Dataset | zarr.Array)


def _from_dense(node: Any, rows: NDArray[np.int64]) -> sparse.csr_matrix[Any]:
    step = _rows_per_block(node)
    parts = []
    for start in range(int(rows[0]), int(rows[-1]) + 1, step):
        block_rows = rows[(rows >= start) & (rows < start + step)] - start
        parts.append(sparse.csr_matrix(_counts(node[start : start + step][block_rows])))
    return sparse.csr_matrix(sparse.vstack(parts, format="csr"))


def _rows_per_block(node: Any) -> int:
    """Return the number of rows to read at once: whole chunks of the file, unless they far exceed a block."""
    target = max(1, BLOCK_VALUES // max(1, node.shape[1]))
    chunk = node.chunks[0] if node.chunks else 1
    return int(min(max(chunk, target // chunk * chunk), 8 * target))


def _from_sparse(node: Any, rows: NDArray[np.int64]) -> sparse.csr_matrix[Any]:
    stored = sparse_dataset(node)
    require_whole(node["data"])
    require_whole(node["indices"])
    offsets = node["indptr"][:].astype(np.int64)
    spots, genes = stored.shape
    if stored.format == "csc":
        values, indices = _read_range(node, 0, int(offsets[-1]))
        return sparse.csc_matrix((values, indices, offsets), shape=(spots, genes)).tocsr()[rows]
    first, last = int(rows[0]), int(rows[-1]) + 1
    values, indices = _read_range(node, int(offsets[first]), int(offsets[last]))
    span = (values, indices, offsets[first : last + 1] - offsets[first])
    matrix = sparse.csr_matrix(span, shape=(last - first, genes))
    return matrix if len(rows) == last - first else matrix[rows - first]


def _read_range(node: Any, low: int, high: int) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Return the stored values from ``low`` to ``high``, and the row or column of each."""
    values, indices = np.empty(high - low, dtype=np.int32), np.empty(high - low, dtype=np.int32)
    for start in range(low, high, BLOCK_VALUES):
        stop = min(start + BLOCK_VALUES, high)
        values[start - low : stop - low] = _counts(node["data"][start:stop])
        indices[start - low : stop - low] = node["indices"][start:stop]
    return values, indices


def _counts(values: Values) -> NDArray[np.int32]:
    if values.dtype.kind not in "iuf":
        raise CountsError(f"holds {values.dtype} values")
    if not are_counts(values).all():
        raise CountsError(_describe_values(values))
    return values.astype(np.int32)


def _describe_values(values: Values) -> str:
    """Return a description of values that are not counts."""
    wrong = values[~are_counts(values)]
    if not np.isfinite(wrong).all():
        return "has values that are not finite"
    if values.min() < 0:
        return f"looks scaled (down to {values.min():.3g})"
    if (wrong == np.rint(wrong)).all():
        return f"has {wrong[0]:.0f}, too large for a count"
    kind = "like fractions" if values.max() <= 1 else "log-normalised" if values.max() < MAX_LOG_VALUE else "normalised"
    return f"looks {kind} (it has {wrong[0]:.3g})"
