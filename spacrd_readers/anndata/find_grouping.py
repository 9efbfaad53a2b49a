"""Decide whether an object holds several sections, and what tells them apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from spacrd_core.errors import GeometryError
from spacrd_core.section.geometry import fit_affine
from spacrd_readers.anndata.groupings import (
    array_positions,
    group_by_column,
    group_by_gem_group,
    groupings,
    library_columns,
    repeated_keys,
    sample_columns,
)
from spacrd_readers.anndata.positions import read_positions

if TYPE_CHECKING:
    from collections.abc import Collection

    import pandas as pd

    from spacrd_readers.anndata.file import AnnDataFile
    from spacrd_readers.anndata.groupings import Grouping

MAX_LATTICE_RMS = 0.1  # in steps of the array; real sections stay below 0.01
REGION_COLUMN_KEY = "uns/spatialdata_attrs/region_key"  # SpatialData's name of the obs column with the region


def region_column(file: AnnDataFile) -> str:
    """Return the column of a SpatialData table that holds the region of each spot; '' if there is none."""
    return str(file.element(REGION_COLUMN_KEY)) if file.has(REGION_COLUMN_KEY) else ""


def find_grouping(file: AnnDataFile, obs: pd.DataFrame, libraries: Collection[str], *, key: str) -> Grouping | None:
    """Return the sections that an object evidently holds; None if it holds one, or nothing tells them apart.

    Repeated barcodes or array positions prove several sections. Without any, a column such as ``sample`` is taken at
    its word, unless all spots (at the positions of ``key``) are on one lattice.
    """
    spots = repeated_keys(obs)
    named = next(iter(library_columns(obs, libraries)), "")
    library = group_by_column(obs, named) if named else None
    if spots.duplicated().any():
        candidates = groupings(obs, libraries, region_column(file))
        return next((each for each in candidates if len(each.sections) > 1 and each.separates(spots)), library)
    if library or file.has("uns/spacrd"):  # SpaCRD writes one section per file
        return library
    samples = [group_by_column(obs, column) for column in sample_columns(obs, region_column(file))]
    several = [each for each in (*samples, group_by_gem_group(obs)) if each and len(each.sections) > 1]
    return several[0] if several and not _is_one_lattice(file, obs, key) else None


def _is_one_lattice(file: AnnDataFile, obs: pd.DataFrame, key: str) -> bool:
    """Return whether one map leads from the array positions of all spots to their px: sections differ in theirs."""
    array = array_positions(obs)
    if array is None:
        return False
    xy_px = read_positions(file, len(obs), key).to_numpy()
    placed = np.isfinite(xy_px).all(axis=1)
    try:
        fit = fit_affine(array.to_numpy()[placed], xy_px[placed])
    except GeometryError:
        return False
    return bool(fit.rms <= MAX_LATTICE_RMS * fit.area**0.5)
