"""Distinguish a section in AnnData from other HDF5 and zarr files, by names and attributes only."""

from __future__ import annotations

from typing import TYPE_CHECKING

import h5py
import zarr

from spacrd_core.quoting import listed
from spacrd_readers.anndata.positions import POSITION_KEYS

if TYPE_CHECKING:
    from spacrd_readers.anndata.file import AnnDataFile

XENIUM_GROUPS = {"cell_features", "cell_summary", "cell_groups", "grids"}  # zarr groups of a Xenium bundle


def rejection_reason(file: AnnDataFile) -> str:
    """Return why an open file is not a section in AnnData; '' if it looks like one by its structure."""
    return _other_kind(file) or _too_old(file) or _no_positions(file)


def _other_kind(file: AnnDataFile) -> str:
    names, facts = set(file.names()), file.attributes
    if {"obs", "var"} <= names:
        return ""
    if "matrix" in names:
        return "it is a 10x matrix, not AnnData: give its folder"
    if "spatialdata_attrs" in facts or "tables" in names:
        return "it is a SpatialData object: --reader spatialdata reads it"
    if "multiscales" in facts or "ome" in facts:
        return "it is an OME-Zarr image, not AnnData"
    if names & XENIUM_GROUPS:
        return "it is part of a Xenium bundle, not AnnData: give the bundle's folder"
    return f"it is not AnnData: it has no obs and var (it holds {listed(sorted(names)[:5]) or 'nothing'})"


def _too_old(file: AnnDataFile) -> str:
    """Return the reason if a table is one array of records, as anndata stored it before version 0.7."""
    if any(isinstance(file.node(key), h5py.Dataset | zarr.Array) for key in ("obs", "var")):
        return "it was written by anndata before 0.7: read it and write it again with anndata 0.7 to 0.11"
    return ""


def _no_positions(file: AnnDataFile) -> str:
    if any(file.has(key) for key in POSITION_KEYS):
        return ""
    if file.has("uns/spatialdata_attrs"):
        return (
            "it is a table of a SpatialData object, which keeps its positions elsewhere: give the object"
            f"{_root(file)}, which the reader spatialdata reads"
        )
    arrays = listed(f"obsm['{name}']" for name in file.names("obsm"))
    return f"it has no positions: expected obsm['spatial'], found {arrays or 'nothing'}"


def _root(file: AnnDataFile) -> str:
    """Return the SpatialData object that a table is in, as text; '' if the table was copied out of it."""
    tables = file.path.parent
    return f" {tables.parent}" if tables.name in {"tables", "table"} else ""
