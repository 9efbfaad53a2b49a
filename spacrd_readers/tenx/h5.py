"""10x matrices in HDF5: the layout of Cell Ranger 3 and later (``/matrix``) and that of 2 (one group per genome)."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
import pandas as pd

from spacrd_core.errors import CountsError
from spacrd_core.opening.declared import MAX_NAMES_EXPANSION, require_plausible
from spacrd_core.opening.heaps import require_sound_heaps
from spacrd_core.opening.kinds import refuse_special
from spacrd_core.opening.names import as_bytes
from spacrd_core.opening.whole import require_whole
from spacrd_core.quoting import listed
from spacrd_readers.tenx.blocks import (
    COPY_AGAIN,
    GENE_EXPRESSION,
    Block,
    column_ranges,
    feature_table,
    require_ascii,
    require_offsets,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from spacrd_readers.tenx.blocks import TenxMatrix

MATRIX_HINT = "give filtered_feature_bc_matrix.h5 or cell_feature_matrix.h5"
# Raised by h5py, and by numpy on members of another type than they should have.
DAMAGED_FILE_ERRORS = (
    *(OSError, LookupError, ValueError, RuntimeError, TypeError, AttributeError, ArithmeticError, MemoryError),
)


@dataclass(frozen=True, eq=False)
class _MatrixPart:
    """One compressed group: features x barcodes, stored by barcode."""

    group: Any
    indptr: NDArray[np.int64]
    first_feature: int
    barcodes: NDArray[np.int64]  # indices of its barcodes among those of the file


@dataclass(frozen=True, eq=False)
class H5Matrix:
    """An open HDF5 matrix."""

    path: Path
    barcodes: NDArray[np.bytes_]
    features: pd.DataFrame
    parts: tuple[_MatrixPart, ...]
    notes: tuple[str, ...] = ()

    def blocks(self) -> Iterator[Block]:
        for part in self.parts:
            for first, last in column_ranges(part.indptr):
                low, high = part.indptr[first], part.indptr[last]
                repeats = np.diff(part.indptr[first : last + 1])
                try:
                    features = part.group["indices"][low:high].astype(np.int64) + part.first_feature
                    values = np.asarray(part.group["data"][low:high])
                    _require_numbers(values, features)
                except DAMAGED_FILE_ERRORS as error:
                    raise _damaged(self.path, error) from error
                yield Block(np.repeat(part.barcodes[first:last], repeats), features, values)


@contextmanager
def open_h5(path: Path) -> Iterator[TenxMatrix]:
    """Open a matrix file.

    Raises
    ------
    CountsError
        If it is not HDF5, not a feature-barcode matrix, damaged, or a probe matrix.
    """
    refuse_special(path, CountsError)
    try:
        require_sound_heaps(path)
        file = h5py.File(path)
    except (OSError, RuntimeError, ValueError) as error:
        raise CountsError(f"the matrix {path} is not a readable HDF5 file: {error}", hint=MATRIX_HINT) from error
    with file:
        yield _matrix(path, file)


def first_barcode(path: Path) -> str:
    """Return the first barcode of a file, '' if it is not a matrix of genes in HDF5; nothing else is read."""
    if not path.is_file() or not h5py.is_hdf5(path):
        return ""
    try:
        require_sound_heaps(path)
        with h5py.File(path) as file:
            groups = [file["matrix"]] if "matrix" in file else [file[name] for name in _genomes(file)]
            if not groups or "probe_region" in groups[0].get("features", ()):
                return ""
            return _decoded(groups[0]["barcodes"][:1])[0]
    except DAMAGED_FILE_ERRORS:
        return ""


def _matrix(path: Path, file: h5py.File) -> H5Matrix:
    try:
        require_plausible(file)
        matrix = _single_group(path, file["matrix"]) if "matrix" in file else _by_genome(path, file)
        values: list[tuple[Any, tuple[int, ...]]] = [(part, part.group["data"].shape or ()) for part in matrix.parts]
        for part in matrix.parts:
            require_whole(part.group["data"])
            require_whole(part.group["indices"])
    except DAMAGED_FILE_ERRORS as error:
        if isinstance(error, CountsError):
            raise
        raise _damaged(path, error) from error
    for part, shape in values:
        if len(shape) != 1:
            raise CountsError(f"the matrix {path} is damaged: its counts are not a list", hint=COPY_AGAIN)
        require_offsets(part.indptr, len(part.barcodes), shape[0], path)
    return matrix


def _single_group(path: Path, group: Any) -> H5Matrix:
    features = group["features"]
    if "probe_region" in features or "gene_id" in features:
        raise CountsError(f"{path} counts probes, not genes", hint=f"{MATRIX_HINT} from the same folder")
    ids = _texts(features["id"])
    kinds = _texts(features["feature_type"]) if "feature_type" in features else GENE_EXPRESSION
    genomes = _texts(features["genome"]) if "genome" in features else ""
    barcodes = require_ascii(_names(group["barcodes"], path), path)
    _require_shape(group, len(ids), len(barcodes))
    part = _MatrixPart(group, group["indptr"][:].astype(np.int64), 0, np.arange(len(barcodes)))
    return H5Matrix(path, barcodes, feature_table(ids, _texts(features["name"]), kinds, genomes), (part,))


def _by_genome(path: Path, file: h5py.File) -> H5Matrix:
    genomes = _genomes(file)
    if not genomes:
        members = listed(sorted(file)) or "nothing"
        raise CountsError(f"{path} is not a 10x matrix (it holds {members})", hint=MATRIX_HINT)
    names = {genome: require_ascii(_names(file[genome]["barcodes"], path), path) for genome in genomes}
    barcodes = np.unique(np.concatenate(list(names.values())))
    tables = [
        feature_table(_texts(file[g]["genes"]), _texts(file[g]["gene_names"]), GENE_EXPRESSION, g) for g in genomes
    ]
    parts, first = [], 0
    for genome, table in zip(genomes, tables, strict=True):
        indptr = file[genome]["indptr"][:].astype(np.int64)
        parts.append(_MatrixPart(file[genome], indptr, first, np.searchsorted(barcodes, names[genome])))
        first += len(table)
    return H5Matrix(path, barcodes, pd.concat(tables, ignore_index=True), tuple(parts))


def _genomes(file: h5py.File) -> list[str]:
    return [name for name, group in file.items() if isinstance(group, h5py.Group) and "gene_names" in group]


def _names(dataset: Any, path: Path) -> NDArray[np.bytes_]:
    require_plausible(dataset, expansion=MAX_NAMES_EXPANSION)
    names = dataset[:]
    return as_bytes(names, path) if names.dtype.kind == "O" else np.asarray(names, dtype=np.bytes_)


def _texts(dataset: Any) -> list[str]:
    require_plausible(dataset, expansion=MAX_NAMES_EXPANSION)
    return _decoded(dataset[:])


def _decoded(texts: NDArray[Any]) -> list[str]:
    return [text.decode() if isinstance(text, bytes) else str(text) for text in texts.tolist()]


def _require_shape(group: Any, features: int, barcodes: int) -> None:
    """Require that the shape that a matrix declares, if any, is that of its names."""
    shape = np.asarray(group["shape"][:]).tolist() if "shape" in group else [features, barcodes]
    if shape != [features, barcodes]:
        raise ValueError(
            f"it declares the shape {str(shape)[:80]}, and names {features} features and {barcodes} barcodes"
        )


def _require_numbers(values: NDArray[Any], indices: NDArray[np.int64]) -> None:
    if values.dtype.kind not in "iuf" or values.shape != indices.shape:
        raise ValueError(f"{len(indices)} indices and counts of {values.dtype} with shape {values.shape}")


def _damaged(path: Path, error: Exception) -> CountsError:
    return CountsError(f"the matrix {path} is damaged: {error}", hint=COPY_AGAIN)
