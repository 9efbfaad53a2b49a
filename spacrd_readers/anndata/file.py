"""Open an AnnData file of any kind (.h5ad, .zarr, .zarr.zip) and read it element by element.

Nothing is read as a whole: an object may hold ten matrices of which one is wanted.
"""

from __future__ import annotations

import json
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

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ZARR_MARKS = ("zarr.json", ".zgroup")
WANTED = "give a .h5ad file, or a .zarr folder or zip"
AGAIN = "copy or download it again, or write it anew with anndata"
REWRITE = "have it written anew with anndata, as .h5ad"
# What h5py, zarr and numcodecs are known to raise on damaged files.
DAMAGED = (OSError, LookupError, ValueError, TypeError, RuntimeError, AttributeError, zipfile.BadZipFile, zlib.error)


@dataclass(frozen=True, eq=False)
class AnnDataFile:
    """An open AnnData file; its elements are named by their place, such as ``uns/spatial``."""

    path: Path
    root: Any

    @property
    def attributes(self) -> dict[str, Any]:
        """What the file says of itself as a whole."""
        with explained(self.path):
            return dict(self.root.attrs)

    def has(self, place: str) -> bool:
        """Return whether there is something at a place."""
        with explained(self.path):
            return place in self.root

    def names(self, place: str = "/") -> list[str]:
        """Return what a group holds; nothing where there is no group."""
        if place != "/" and not self.has(place):
            return []
        with explained(self.path):
            node = self.root if place == "/" else self.root[place]
            return sorted(node) if isinstance(node, (h5py.Group, zarr.Group)) else []

    def node(self, place: str) -> Any:
        """Return the group or array at a place, not yet read."""
        with explained(self.path):
            node = self.root[place]
            _refuse_pickles(node, self.path)
            return node

    def element(self, place: str) -> Any:
        """Return the element at a place, read whole."""
        node = self.node(place)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", OldFormatWarning)  # what anndata 0.7 wrote is read as well
            try:
                return read_elem(node)
            except Exception as error:  # at what later versions write anndata raises an error of no public type
                raise _unreadable(self.path, error) from error

    def table(self, place: str) -> pd.DataFrame:
        """Return the table at a place (``obs``, ``var``), its index as text."""
        found = self.element(place)
        if not isinstance(found, pd.DataFrame):
            raise InputError(f"{place} of {self.path} is no table that anndata 0.7 or later wrote", hint=AGAIN)
        return found.set_axis(pd.Index(found.index.astype(str), dtype=object), axis=0)


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn what a library raises at a damaged file into an :class:`InputError` that names the file."""
    try:
        yield
    except SpacrdError:
        raise
    except DAMAGED as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> InputError:
    reason = next(iter(str(error).splitlines()), "") or type(error).__name__
    return InputError(f"{path} cannot be read as AnnData: {reason}", hint=AGAIN)


@contextmanager
def open_anndata(path: Path) -> Iterator[AnnDataFile]:
    """Open an AnnData file by what it is, whatever its name.

    Raises
    ------
    MissingFile
        If there is nothing at the path.
    InputError
        If it is neither HDF5 nor zarr, or damaged.
    """
    if not path.exists():
        raise MissingFile(f"the AnnData file {path} does not exist", hint="check the path")
    with ExitStack() as stack:
        with explained(path):
            root = stack.enter_context(_root(path))
        yield AnnDataFile(path, root)


@contextmanager
def _root(path: Path) -> Iterator[Any]:
    """Open the outermost group; consolidated metadata is not read, for it may be older than what it describes."""
    if path.is_dir():
        if not any((path / mark).is_file() for mark in ZARR_MARKS):
            raise InputError(f"the folder {path} is no zarr group", hint=WANTED)
        yield zarr.open_group(LocalStore(path, read_only=True), mode="r", use_consolidated=False)
    elif zipfile.is_zipfile(path):
        top = _top(path)
        with closing(ZipStore(path, mode="r")) as store:
            yield zarr.open_group(store, path=top, mode="r", use_consolidated=False)
    elif h5py.is_hdf5(path):
        with h5py.File(path, "r") as file:
            yield file
    else:
        raise InputError(f"{path} is neither HDF5 (.h5ad) nor zarr", hint=WANTED)


def _top(path: Path) -> str:
    """Return the folder of a zip that is its outermost zarr group: '' when the group itself was zipped."""
    with zipfile.ZipFile(path) as packed:
        marks = [name for name in packed.namelist() if name.rpartition("/")[2] in ZARR_MARKS]
    if not marks:
        raise InputError(f"{path} is a zip without a zarr group", hint=WANTED)
    return min(marks, key=len).rpartition("/")[0]


def _refuse_pickles(node: Any, path: Path) -> None:
    """Refuse pickled values in zarr: reading one runs whatever code its writer liked."""
    arrays = [inner for _, inner in node.members(max_depth=None)] if isinstance(node, zarr.Group) else [node]
    for array in arrays:
        if isinstance(array, zarr.Array) and '"pickle"' in json.dumps(array.metadata.to_dict(), default=str):
            raise InputError(f"{path} holds pickled values ({array.path}), which are not safe to read", hint=REWRITE)
