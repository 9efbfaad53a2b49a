"""Choose the table of a SpatialData object, and the region that it annotates."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from spacrd_core.errors import ConfigError, UnrecognisedSection
from spacrd_core.quoting import listed, shortened
from spacrd_readers._base import first_names
from spacrd_readers.anndata.file import open_anndata
from spacrd_readers.spatialdata.recognise import table_paths

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import pandas as pd
    from numpy.typing import NDArray

    from spacrd_readers.anndata.file import AnnDataFile

DEFAULT_TABLE = "table"  # the library's own default
ALL_REGIONS = "all"
BIN_NAME = re.compile(r"(?:.*_)?square_(\d{3})um")  # tables and shapes of Visium HD
DEFAULT_BIN_UM = 8  # as of the reader visium_hd
BIN_TABLE = re.compile(r"bin\d+_table")  # Stereo-seq: the same section once more, by bins of its px
FIELD_OF_VIEW = re.compile(r"(fov_?)?\d+_labels", re.IGNORECASE)  # CosMx: the labels of each field of view
FACTS = "uns/spatialdata_attrs"


@dataclass(frozen=True)
class TableChoice:
    """The path of a table, its name, and a note on others."""

    name: str
    path: Path
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Annotation:
    """The rows of a table that belong to one section, and what they annotate.

    Attributes
    ----------
    rows
        The rows of each region, in ascending order, by the region's name; one region without a name if the table
        annotates nothing.
    instances
        The id of every row of the table in its region.
    """

    rows: Mapping[str, NDArray[np.int64]]
    instances: pd.Series[str]
    notes: tuple[str, ...] = ()


def choose_table(path: Path, name: str, region: str) -> TableChoice:
    """Return the table of a name; by default the only one, the one called 'table', or one of a platform's several.

    Of Visium HD those are the 8 um bins, of Stereo-seq the cells.

    Raises
    ------
    ConfigError
        If there is no such table, or none that annotates the region.
    UnrecognisedSection
        If there are several.
    """
    paths = table_paths(path)
    if name:
        if name not in paths:
            raise ConfigError(
                f"{path} has no table '{shortened(name)}'; its tables: {listed(paths)}",
                hint="use --set reader.table=NAME",
            )
        return TableChoice(name, paths[name])
    names = _annotating(paths, region) if region and region != ALL_REGIONS else list(paths)
    if not names:
        raise ConfigError(
            f"{path} has no table that annotates the region '{shortened(region)}'", hint="use --set reader.region=NAME"
        )
    default = _default(names)
    if not default:
        raise UnrecognisedSection(
            f"{path} holds {len(names)} tables ({first_names(names, 8)}), expected one",
            hint=f"use --set reader.table={names[0]}",
        )
    others = [other for other in paths if other != default]
    notes = (f"the table '{default}' was read; others: {first_names(others)} (--set reader.table=NAME)",)
    return TableChoice(default, paths[default], notes if others else ())


def _annotating(paths: Mapping[str, Path], region: str) -> list[str]:
    matches = []
    for name, path in paths.items():
        with open_anndata(path) as file:
            if file.has(f"{FACTS}/region") and region in np.atleast_1d(file.element(f"{FACTS}/region")).tolist():
                matches.append(name)
    return matches


def _default(names: Sequence[str]) -> str:
    """Return the table to read of several; '' if none stands out."""
    if len(names) == 1 or DEFAULT_TABLE in names:
        return DEFAULT_TABLE if DEFAULT_TABLE in names else names[0]
    of_cells = [name for name in names if not BIN_TABLE.fullmatch(name)]
    if len(of_cells) == 1 < len(names):
        return of_cells[0]
    sizes = {name: int(match[1]) for name in names if (match := BIN_NAME.fullmatch(name))}
    if not sizes:
        return ""
    best = min(sizes.values(), key=lambda um: (um < DEFAULT_BIN_UM, abs(um - DEFAULT_BIN_UM)))
    finest = [name for name, um in sizes.items() if um == best]
    return finest[0] if len(finest) == 1 else ""


def read_annotation(file: AnnDataFile, obs: pd.DataFrame, region: str) -> Annotation:
    """Return the rows of one section: those of a region, or of several regions that are parts of it.

    Raises
    ------
    ConfigError
        If there is no such region.
    UnrecognisedSection
        If there are several and none is given.
    """
    keys = {key: str(file.element(f"{FACTS}/{key}_key")) for key in ("region", "instance") if _has_key(file, key)}
    instances = (obs[keys["instance"]] if keys.get("instance") in obs.columns else obs.index.to_series()).astype(str)
    if keys.get("region") not in obs.columns:
        return Annotation({"": np.arange(len(obs))}, instances)
    column = obs[keys["region"]].astype(str)
    regions = [str(name) for name in column.unique()]
    chosen, notes = _choose(regions, region, file.path)
    return Annotation({name: np.flatnonzero(column == name) for name in chosen}, instances, notes)


def _has_key(file: AnnDataFile, key: str) -> bool:
    return file.has(f"{FACTS}/{key}_key")


def _choose(regions: Sequence[str], region: str, path: Path) -> tuple[list[str], tuple[str, ...]]:
    if region and region != ALL_REGIONS and region not in regions:
        raise ConfigError(
            f"{path} annotates no region '{shortened(region)}'; its regions: {first_names(regions, 8)}",
            hint="use --set reader.region=NAME",
        )
    if region and region != ALL_REGIONS:
        return [region], ()
    joined = f"{len(regions)} regions were read as parts of one section: {first_names(regions)}"
    if len(regions) == 1 or region == ALL_REGIONS:
        return list(regions), (joined,) if len(regions) > 1 else ()
    if all(FIELD_OF_VIEW.fullmatch(name) for name in regions):
        return list(regions), (f"{joined} (fields of view, by their names)",)
    raise UnrecognisedSection(
        f"{path} annotates {len(regions)} regions ({first_names(regions, 8)}), expected one section",
        hint=f"use --set reader.region={regions[0]}; or reader.region={ALL_REGIONS} if they are parts of one section",
    )
