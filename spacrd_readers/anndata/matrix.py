"""Read one matrix of an object as sparse int32 counts, block by block: a dense one is never held as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
import zarr
from anndata.io import sparse_dataset
from scipy import sparse

from spacrd_core.errors import CountsError, InputError
from spacrd_core.section.counts import are_counts
from spacrd_readers.anndata.file import AGAIN, explained

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spacrd_readers.anndata.file import AnnDataFile

BLOCK = 2**22  # values looked at in one go
HIGHEST_LOG = 20.0  # e^20 is 485 million, more than any spot counts

Values = np.ndarray[Any, Any]


def load_counts(file: AnnDataFile, place: str, rows: NDArray[np.int64], *, spots: int) -> sparse.csr_matrix[Any]:
    """Return some rows (rising) of a matrix that has a row for each of the file's ``spots``.

    Raises
    ------
    CountsError
        If the matrix holds no counts; the message goes on after its name (``looks scaled (down to -1.3)``).
    InputError
        If it is damaged.
    """
    node = file.node(place)
    with explained(file.path):
        shape = node.shape if _is_dense(node) else sparse_dataset(node).shape
        if not shape:
            raise CountsError("holds nothing")
        if shape[0] != spots:
            raise InputError(f"{place} of {file.path} has {shape[0]} rows for {spots} spots", hint=AGAIN)
        found = _from_dense(node, rows) if _is_dense(node) else _from_sparse(node, rows)
        found.check_format(full_check=True)
    found.sum_duplicates()
    found.eliminate_zeros()
    if not found.nnz:
        raise CountsError("holds zeros alone")
    return found


def _is_dense(node: Any) -> bool:
    return isinstance(node, h5py.Dataset | zarr.Array)


def _from_dense(node: Any, rows: NDArray[np.int64]) -> sparse.csr_matrix[Any]:
    step = _rows_a_block(node)
    parts = []
    for start in range(int(rows[0]), int(rows[-1]) + 1, step):
        wanted = rows[(rows >= start) & (rows < start + step)] - start
        parts.append(sparse.csr_matrix(_counts(node[start : start + step][wanted])))
    return sparse.csr_matrix(sparse.vstack(parts, format="csr"))


def _rows_a_block(node: Any) -> int:
    """Return how many rows to read at once: whole chunks of the file, unless they are far larger than a block."""
    some = max(1, BLOCK // max(1, node.shape[1]))
    chunk = node.chunks[0] if node.chunks else 1
    return int(min(max(chunk, some // chunk * chunk), 8 * some))


def _from_sparse(node: Any, rows: NDArray[np.int64]) -> sparse.csr_matrix[Any]:
    stored = sparse_dataset(node)
    offsets = node["indptr"][:].astype(np.int64)
    spots, genes = stored.shape
    if stored.format == "csc":
        values, places = _run(node, 0, int(offsets[-1]))
        return sparse.csc_matrix((values, places, offsets), shape=(spots, genes)).tocsr()[rows]
    first, last = int(rows[0]), int(rows[-1]) + 1
    values, places = _run(node, int(offsets[first]), int(offsets[last]))
    run = sparse.csr_matrix((values, places, offsets[first : last + 1] - offsets[first]), shape=(last - first, genes))
    return run if len(rows) == last - first else run[rows - first]


def _run(node: Any, low: int, high: int) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Return the values from one place to another, and the row or column of each."""
    values, places = np.empty(high - low, dtype=np.int32), np.empty(high - low, dtype=np.int32)
    for start in range(low, high, BLOCK):
        stop = min(start + BLOCK, high)
        values[start - low : stop - low] = _counts(node["data"][start:stop])
        places[start - low : stop - low] = node["indices"][start:stop]
    return values, places


def _counts(values: Values) -> NDArray[np.int32]:
    if values.dtype.kind not in "iuf":
        raise CountsError(f"holds {values.dtype} values")
    if not are_counts(values).all():
        raise CountsError(_looks(values))
    return values.astype(np.int32)


def _looks(values: Values) -> str:
    """Return what values look like that are no counts."""
    wrong = values[~are_counts(values)]
    if not np.isfinite(wrong).all():
        return "has values that are not finite"
    if values.min() < 0:
        return f"looks scaled (down to {values.min():.3g})"
    if (wrong == np.rint(wrong)).all():
        return f"has {wrong[0]:.0f}, more than a count can be"
    kind = "like fractions" if values.max() <= 1 else "log-normalised" if values.max() < HIGHEST_LOG else "normalised"
    return f"looks {kind} (it has {wrong[0]:.3g})"
