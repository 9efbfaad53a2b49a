"""The matrix of a Xenium bundle in zarr: ``cell_feature_matrix.zarr.zip``, compressed feature by feature."""

from __future__ import annotations

import zlib
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile, is_zipfile

import numpy as np
import zarr
from zarr.storage import LocalStore, ZipStore

from spacrd_core.errors import CountsError
from spacrd_core.opening.declared import require_plausible
from spacrd_core.opening.kinds import refuse_special, refuse_special_below
from spacrd_core.opening.whole import require_whole
from spacrd_core.opening.zips import require_sound_zip
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

    import pandas as pd
    from numpy.typing import NDArray

    from spacrd_readers.tenx.blocks import TenxMatrix

H5_HINT = "give cell_feature_matrix.h5 instead"
SUFFIXES = (".zarr", ".zarr.zip")
# Other kinds are codes of controls, and 'aggregate_gene' for a last feature that sums all genes.
FEATURE_KINDS = {"gene": GENE_EXPRESSION}
CELL_NAME_LETTERS = np.frombuffer(b"abcdefghijklmnop", dtype=np.uint8)
DAMAGED_FILE_ERRORS = (
    *(OSError, LookupError, ValueError, TypeError, RuntimeError, AttributeError, ArithmeticError, MemoryError),
    *(EOFError, NotImplementedError, zlib.error, BadZipFile),
)


@dataclass(frozen=True, eq=False)
class ZarrMatrix:
    """An open zarr matrix."""

    path: Path
    barcodes: NDArray[np.bytes_]
    features: pd.DataFrame
    group: Any
    indptr: NDArray[np.int64]
    notes: tuple[str, ...] = ()

    def blocks(self) -> Iterator[Block]:
        for first, last in column_ranges(self.indptr):
            low, high = self.indptr[first], self.indptr[last]
            features = np.repeat(np.arange(first, last), np.diff(self.indptr[first : last + 1]))
            try:
                barcodes, values = self.group["indices"][low:high].astype(np.int64), self.group["data"][low:high]
                if values.dtype.kind not in "iuf" or not barcodes.shape == values.shape == features.shape:
                    raise ValueError(f"counts of {values.dtype} with shape {values.shape}")
            except DAMAGED_FILE_ERRORS as error:
                raise CountsError(f"the matrix {self.path} is damaged: {error}", hint=COPY_AGAIN) from error
            yield Block(barcodes, features, values)


def is_zarr(path: Path) -> bool:
    """Return whether a path is named like a zarr group or a zip archive of one."""
    return path.name.endswith(SUFFIXES)


@contextmanager
def open_zarr(path: Path) -> Iterator[TenxMatrix]:
    """Open a zarr matrix, a folder or a zip archive.

    Raises
    ------
    CountsError
        If it is damaged, or is not the matrix of a Xenium bundle.
    """
    refuse_special(path, CountsError)
    if path.is_dir():
        refuse_special_below(path, CountsError)
    elif not is_zipfile(path):
        raise CountsError(f"{path} is not a readable zip file", hint=H5_HINT)
    else:
        try:
            require_sound_zip(path)
        except DAMAGED_FILE_ERRORS as error:
            raise CountsError(f"{path} is a damaged zip: {error}", hint=H5_HINT) from error
    with closing(LocalStore(path, read_only=True) if path.is_dir() else ZipStore(path, mode="r")) as store:
        try:
            group: Any = zarr.open_group(store, mode="r")["cell_features"]
            require_plausible(group)
            matrix = _matrix(path, group)
        except CountsError:
            raise
        except DAMAGED_FILE_ERRORS as error:
            raise CountsError(f"{path} is not the matrix of a Xenium bundle: {error}", hint=H5_HINT) from error
        yield matrix


def _matrix(path: Path, group: Any) -> ZarrMatrix:
    for name in ("data", "indices"):
        require_whole(group[name])
    facts = dict(group.attrs)
    symbols = list(facts["feature_keys"])
    ids = list(facts.get("feature_ids", symbols))
    kinds = [FEATURE_KINDS.get(kind, kind) for kind in facts.get("feature_types", [GENE_EXPRESSION] * len(symbols))]
    indptr = group["indptr"][:].astype(np.int64)
    require_offsets(indptr, len(symbols), group["data"].shape[0], path)
    return ZarrMatrix(
        path, require_ascii(cell_names(group["cell_id"][:]), path), feature_table(ids, symbols, kinds), group, indptr
    )


def cell_names(ids: NDArray[Any]) -> NDArray[np.bytes_]:
    """Return the names of cells stored as numbers (early bundles) or as (prefix, suffix) pairs (``aaaaficg-1``).

    A prefix is 32 bits, written as eight letters ``a`` to ``p``, four bits each (10x Genomics, XOA zarr outputs).
    """
    if ids.ndim == 1 or ids.shape[1] == 1:
        return ids.ravel().astype(np.bytes_)
    prefix, suffix = ids[:, 0].astype(np.uint32), ids[:, 1]
    letters = CELL_NAME_LETTERS[(prefix[:, None] >> np.arange(28, -1, -4, dtype=np.uint32)) & 15]
    names = np.ascontiguousarray(letters).view("S8").ravel()
    return np.char.add(np.char.add(names, b"-"), suffix.astype(np.bytes_))
