"""Distinguish a section in AnnData from other HDF5 and zarr files, by names and attributes only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spacrd_readers.anndata.positions import POSITION_KEYS

if TYPE_CHECKING:
    from spacrd_readers.anndata.file import AnnDataFile

XENIUM_GROUPS = {"cell_features", "cell_summary", "cell_groups", "grids"}  # zarr groups of a Xenium bundle


def rejection_reason(file: AnnDataFile) -> str:
    """Return why an open file is not a section in AnnData; '' if it looks like one by its structure."""
    return _other_kind(file) or _no_positions(file)


def _other_kind(file: AnnDataFile) -> str:
    names, facts = set(file.names()), file.attributes
    if {"obs", "var"} <= names:
        return ""
    if "matrix" in names:
        return "it is a 10x matrix, not AnnData: give its folder"
    if "spatialdata_attrs" in facts or "tables" in names:
        tables = " or ".join(str(file.path / "tables" / name) for name in file.names("tables"))
        return f"it is a SpatialData object: give its table ({tables or 'it has no table'})"
    if "multiscales" in facts or "ome" in facts:
        return "it is an OME-Zarr image, not AnnData"
    if names & XENIUM_GROUPS:
        return "it is part of a Xenium bundle, not AnnData: give the bundle's folder"
    return f"it is not AnnData: it has no obs and var (it holds {', '.join(sorted(names)[:5]) or 'nothing'})"


def _no_positions(file: AnnDataFile) -> str:
    if any(file.has(key) for key in POSITION_KEYS):
        return ""
    arrays = ", ".join(f"obsm['{name}']" for name in file.names("obsm"))
    return f"it has no positions: expected obsm['spatial'], found {arrays or 'nothing'}"
