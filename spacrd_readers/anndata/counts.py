"""Find the raw counts of an AnnData file: the first of its matrices that holds whole numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scipy import sparse

from spacrd_core.errors import ConfigError, CountsError
from spacrd_core.quoting import listed, shortened
from spacrd_readers.anndata.matrix import load_counts

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from spacrd_readers.anndata.file import AnnDataFile

COUNT_LAYERS = {"count", "counts", "raw", "rawcount", "rawcounts", "umi", "umis", "umicount", "umicounts"}  # folded
COUNT_MATRICES = ("layers/counts", "layers/raw_counts", "layers/raw", "X", "raw/X")

Counts = tuple[str, sparse.csr_matrix[Any], tuple[str, ...]]


def read_counts(file: AnnDataFile, rows: NDArray[np.int64], *, spots: int, layer: str = "") -> Counts:
    """Return the key of the raw counts matrix, the given rows of it as int32, and notes.

    A matrix has one row for each of the file's ``spots``. ``layer`` selects a matrix; '' takes the first with counts.

    Raises
    ------
    ConfigError
        If there is no such layer.
    CountsError
        If no matrix holds raw counts; the message describes each one.
    """
    rejections: list[str] = []
    for key in _matrix_keys(file, layer):
        try:
            counts = load_counts(file, key, rows, spots=spots)
        except CountsError as error:
            rejections.append(f"{display_name(key)} {error}")
        else:
            return key, counts, _note(key, rejections)
    raise CountsError(
        f"{file.path} holds no raw counts: {'; '.join(rejections) or 'it has no matrix'}",
        hint="store the raw counts in layers['counts']",
    )


def display_name(key: str) -> str:
    """Return the name of a matrix in AnnData notation, such as ``layers['counts']`` or ``raw.X``."""
    group, _, name = key.partition("/")
    return f"layers['{name}']" if group == "layers" else key.replace("/", ".")


def _matrix_keys(file: AnnDataFile, layer: str) -> list[str]:
    if not layer:
        others = [f"layers/{name}" for name in file.names("layers") if _folded(name) in COUNT_LAYERS]
        return list(dict.fromkeys(key for key in (*COUNT_MATRICES, *others) if file.has(key)))
    key = {"X": "X", "raw": "raw/X", "raw.X": "raw/X"}.get(layer, f"layers/{layer}")
    if not file.has(key):
        layers = listed(file.names("layers")) or "none"
        raise ConfigError(
            f"{file.path} has no layer '{shortened(layer)}'; its layers: {layers}", hint="use --set reader.counts=NAME"
        )
    return [key]


def _folded(name: str) -> str:
    return "".join(filter(str.isalnum, name.casefold()))


def _note(key: str, rejections: list[str]) -> tuple[str, ...]:
    if key == "X":
        return ()
    return (f"counts were read from {display_name(key)}" + (f": {'; '.join(rejections)}" if rejections else ""),)
