"""Distinguish a SpatialData object from other zarr stores, by names and attributes only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spacrd_core.errors import InputError
from spacrd_readers.anndata.file import open_anndata

if TYPE_CHECKING:
    from pathlib import Path

    from spacrd_readers.anndata.file import AnnDataFile

MARK = "spatialdata_attrs"  # the key of the attributes of every object
TABLE_GROUPS = ("tables", "table")  # since 0.1, and before
ELEMENT_GROUPS = {"images", "labels", "shapes", "points"}


def rejection_reason(path: Path) -> str:
    """Return why a path is not a SpatialData object with a table; '' if it looks like one."""
    if not path.is_dir():
        return "it is not a folder" if path.exists() else "it does not exist"
    try:
        with open_anndata(path) as file:
            return _reason(file)
    except InputError as error:
        return str(error)


def table_paths(path: Path) -> dict[str, Path]:
    """Return the path of every table of an object, by its name."""
    with open_anndata(path) as file:
        return {name: path / group / name for group in TABLE_GROUPS for name in file.names(group)}


def _reason(file: AnnDataFile) -> str:
    names = set(file.names())
    if {"obs", "var"} <= names:
        return "it is a table or AnnData, not a SpatialData object"
    tables = [group for group in TABLE_GROUPS if group in names]
    if MARK not in file.attributes and not (tables and names & ELEMENT_GROUPS):
        return "it is a zarr group, but not a SpatialData object"
    if not any(file.names(group) for group in tables):
        return "it is a SpatialData object without a table, so it holds no counts"
    return ""
