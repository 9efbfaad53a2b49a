"""Tell a section in AnnData from the other things that HDF5 and zarr hold, by names and attributes alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from spacrd_readers.anndata.file import AnnDataFile

POSITIONS = ("obsm/spatial", "obsm/X_spatial")
XENIUM = {"cell_features", "cell_summary", "cell_groups", "grids"}  # in the zarr groups of a bundle


def why_not(file: AnnDataFile) -> str:
    """Return why an open file is no section in AnnData; '' when it is, as far as its structure shows."""
    return _other_kind(file) or _no_positions(file)


def _other_kind(file: AnnDataFile) -> str:
    names, facts = set(file.names()), file.attributes
    if {"obs", "var"} <= names:
        return ""
    if "matrix" in names:
        return "it is a 10x matrix, not AnnData: give the folder it lies in"
    if "spatialdata_attrs" in facts or "tables" in names:
        tables = " or ".join(str(file.path / "tables" / name) for name in file.names("tables"))
        return f"it is a SpatialData object: give its table ({tables or 'it has none'})"
    if "multiscales" in facts or "ome" in facts:
        return "it is an OME-Zarr image, not AnnData"
    if names & XENIUM:
        return "it is part of a Xenium bundle, not AnnData: give the bundle's folder"
    return f"it holds no AnnData: it has no obs and var, but {', '.join(sorted(names)[:5]) or 'nothing'}"


def _no_positions(file: AnnDataFile) -> str:
    if any(file.has(place) for place in POSITIONS):
        return ""
    kept = ", ".join(f"obsm['{name}']" for name in file.names("obsm"))
    return f"it has no positions: obsm['spatial'] is wanted, {kept or 'nothing'} was found"
