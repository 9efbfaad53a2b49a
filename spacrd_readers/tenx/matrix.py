"""Open the feature-barcode matrix of a 10x platform, in any of its three formats."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from spacrd_core.errors import MissingFile
from spacrd_readers.tenx.h5 import open_h5
from spacrd_readers.tenx.mex import open_mex
from spacrd_readers.tenx.zarr import is_zarr, open_zarr

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from spacrd_readers.tenx.blocks import TenxMatrix

MEX_SUFFIXES = (".mtx", ".mtx.gz")


@contextmanager
def open_matrix(path: Path) -> Iterator[TenxMatrix]:
    """Open an HDF5 file, a folder or file in Market Exchange Format (MEX), or the zarr of a Xenium bundle.

    Raises
    ------
    MissingFile
        If the path does not exist.
    CountsError
        If it is not a feature-barcode matrix, or is a probe matrix.
    """
    if not path.exists():
        raise MissingFile(f"the matrix {path} does not exist", hint="check the path")
    with _open(path) as matrix:
        yield matrix


def _open(path: Path) -> AbstractContextManager[TenxMatrix]:
    if is_zarr(path):
        return open_zarr(path)
    return open_mex(path) if path.is_dir() or path.name.endswith(MEX_SUFFIXES) else open_h5(path)
