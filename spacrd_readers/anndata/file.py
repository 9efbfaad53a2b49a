"""Open an AnnData file of any kind (.h5ad, .zarr, .zarr.zip) and read it element by element.

The file is never read as a whole: an object may hold ten matrices of which one is needed.
"""

from __future__ import annotations

import warnings
import zipfile
import zlib
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import h5py
import pandas as pd
import zarr
from anndata import OldFormatWarning
from anndata.io import read_elem
from zarr.storage import LocalStore, ZipStore

from spacrd_core.errors import InputError, MissingFile, SpacrdError
from spacrd_core.opening.declared import MAX_NAMES_EXPANSION, is_pickled, members_below, require_plausible
from spacrd_core.opening.heaps import require_sound_heaps
from spacrd_core.opening.kinds import refuse_special, refuse_special_below
from spacrd_core.opening.whole import require_whole
from spacrd_core.opening.zips import require_sound_zip
from spacrd_core.quoting import listed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ZARR_METADATA = ("zarr.json", ".zgroup")
FORMATS = "give a .h5ad file, or a .zarr folder or zip"
COPY_AGAIN = "copy or download it again, or rewrite it with anndata"
REWRITE = "rewrite it with anndata, as .h5ad"
# Errors that h5py, zarr and numcodecs raise on damaged files.
DAMAGED_FILE_ERRORS = (
    OSError,
    LookupError,
    ValueError,
    TypeError,
    RuntimeError,
    AttributeError,
    ArithmeticError,
    AssertionError,
    EOFError,
    MemoryError,
    NotImplementedError,
    zipfile.BadZipFile,
    zlib.error,
)


@dataclass(frozen=True, eq=False)
class AnnDataFile:
    """An open AnnData file; its elements are addressed by keys such as ``uns/spatial``."""

    path: Path
    root: Any

    @property
    def attributes(self) -> dict[str, Any]:
        """The attributes of the outermost group."""
        with translate_errors(self.path):
            return dict(self.root.attrs)

    def has(self, key: str) -> bool:
        """Return whether the file has an element."""
        with translate_errors(self.path):
            return key in self.root

    def names(self, key: str = "/") -> list[str]:
        """Return the names of a group's members; an empty list if there is no such group."""
        if key != "/" and not self.has(key):
            return []
        with translate_errors(self.path):
            node = self.root if key == "/" else self.root[key]
            return sorted(node) if isinstance(node, (h5py.Group, zarr.Group)) else []

    def node(self, key: str) -> Any:
        """Return a group or array without reading it."""
        with translate_errors(self.path):
            node = self.root[key]
            _refuse_pickles(node, self.path)
            require_plausible(node)
            return node

    def element(self, key: str) -> Any:
        """Return an element, read into memory."""
        node = self.node(key)
        with translate_errors(self.path):
            require_plausible(node, expansion=MAX_NAMES_EXPANSION)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", OldFormatWarning)  # files of anndata 0.7 are supported
            try:
                return read_elem(node)
            except Exception as error:  # anndata raises a private error type on files of later versions
                raise _unreadable(self.path, error) from error

    def table(self, key: str) -> pd.DataFrame:
        """Return a table (``obs``, ``var``) with its index as text."""
        self._require_names(key)
        table = self.element(key)
        if not isinstance(table, pd.DataFrame):
            raise InputError(f"{key} of {self.path} is not a table written by anndata 0.7 or later", hint=COPY_AGAIN)
        if opaque := [name for name, kind in table.dtypes.items() if kind.kind == "V"]:
            raise InputError(
                f"{key} of {self.path} has columns that are neither numbers nor text: {listed(opaque)}", hint=COPY_AGAIN
            )
        return table.set_axis(pd.Index(table.index.astype(str), dtype=object), axis=0)

    def _require_names(self, key: str) -> None:
        """Require that no part of a table's index is lost: what is not there reads as names without letters."""
        node = self.node(key)
        with translate_errors(self.path):
            named = str(node.attrs.get("_index", "_index"))
            index = node.get(named) if isinstance(node, (h5py.Group, zarr.Group)) else None
            if isinstance(index, (h5py.Dataset, zarr.Array)):
                require_whole(index)


@contextmanager
def translate_errors(path: Path) -> Iterator[None]:
    """Turn a library's error about a damaged file into an :class:`InputError` that names the file."""
    try:
        yield
    except SpacrdError:
        raise
    except DAMAGED_FILE_ERRORS as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> InputError:
    reason = next(iter(str(error).splitlines()), "") or type(error).__name__
    return InputError(f"{path} cannot be read as AnnData: {reason}", hint=COPY_AGAIN)


@contextmanager
def open_anndata(path: Path) -> Iterator[AnnDataFile]:
    """Open an AnnData file by its content, whatever its name.

    Raises
    ------
    MissingFile
        If the path does not exist.
    InputError
        If the file is neither HDF5 nor zarr, or is damaged.
    """
    refuse_special(path)
    if not path.exists():
        raise MissingFile(f"the AnnData file {path} does not exist", hint="check the path")
    with ExitStack() as stack:
        with translate_errors(path):
            root = stack.enter_context(_open_root(path))
        yield AnnDataFile(path, root)


@contextmanager
def _open_root(path: Path) -> Iterator[Any]:
    """Open the outermost group, without consolidated metadata: it may be older than what it describes."""
    if path.is_dir():
        if not any((path / name).is_file() for name in ZARR_METADATA):
            raise InputError(f"the folder {path} is not a zarr group", hint=FORMATS)
        refuse_special_below(path)
        yield zarr.open_group(LocalStore(path, read_only=True), mode="r", use_consolidated=False)
    elif zipfile.is_zipfile(path):
        require_sound_zip(path)
        group = _zip_root(path)
        with closing(ZipStore(path, mode="r")) as store:
            yield zarr.open_group(store, path=group, mode="r", use_consolidated=False)
    elif h5py.is_hdf5(path):
        require_sound_heaps(path)
        with h5py.File(path, "r") as file:
            yield file
    else:
        raise InputError(f"{path} is neither HDF5 (.h5ad) nor zarr", hint=FORMATS)


def _zip_root(path: Path) -> str:
    """Return the folder of a zip that is its outermost zarr group: '' if the group itself was zipped."""
    with zipfile.ZipFile(path) as archive:
        metadata = [name for name in archive.namelist() if name.rpartition("/")[2] in ZARR_METADATA]
    if not metadata:
        raise InputError(f"{path} is a zip without a zarr group", hint=FORMATS)
    return min(metadata, key=len).rpartition("/")[0]


def _refuse_pickles(node: Any, path: Path) -> None:
    """Refuse pickled values in zarr: reading one can run arbitrary code."""
    arrays = members_below(node) if isinstance(node, zarr.Group) else [node]
    for array in arrays:
        if isinstance(array, zarr.Array) and is_pickled(array):
            raise InputError(f"{path} holds pickled values ({array.path}), which are unsafe to read", hint=REWRITE)
