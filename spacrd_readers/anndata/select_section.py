"""Select one section of an AnnData file, with its images and scale factors from ``uns``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from spacrd_core.errors import ConfigError, UnrecognisedSection
from spacrd_core.quoting import listed, shortened
from spacrd_readers.anndata.find_grouping import find_grouping, region_column
from spacrd_readers.anndata.groupings import groupings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import pandas as pd
    from numpy.typing import NDArray

    from spacrd_readers.anndata.file import AnnDataFile

MAX_LISTED = 8


@dataclass(frozen=True, eq=False)
class SelectedSection:
    """One section of an AnnData file.

    Attributes
    ----------
    key
        The key of its images and scale factors (``uns/spatial/NAME``); '' if it has none.
    factors
        Its scale factors, by name.
    spots
        A mask of its rows of ``obs``.
    missing_images
        Why it has no images although the file has some, to be continued; '' if it has, or the file has none.
    """

    key: str
    factors: Mapping[str, float]
    spots: NDArray[np.bool_]
    notes: tuple[str, ...] = ()
    missing_images: str = ""


def select_section(file: AnnDataFile, obs: pd.DataFrame, name: str, *, key: str) -> SelectedSection:
    """Return the section of a name ('' for the only one); ``key`` is that of the positions.

    Raises
    ------
    ConfigError
        If there is no section of that name.
    UnrecognisedSection
        If there are several and no name is given.
    """
    libraries = _libraries(file)
    grouping = evident = find_grouping(file, obs, libraries, key=key)
    if name and (grouping is None or name not in grouping.sections):
        others = groupings(obs, libraries, region_column(file))
        grouping = next((other for other in others if name in other.sections), grouping)
    sections = grouping.sections if grouping else sorted(libraries)
    section = _choose(sections, name, grouping.source if grouping else "uns['spatial']", file.path)
    is_one = len(libraries) == 1 and (evident is None or len(sections) == 1)
    alone = next(iter(libraries.values())) if is_one else ""
    library = libraries.get(section, alone)
    factors = _factors(file, f"{library}/scalefactors") if library else {}
    if grouping:
        missing = _missing_images(libraries, library)
        return SelectedSection(library, factors, grouping.names == section, missing_images=missing)
    notes = (f"obs has no column with the section of each spot: all were assigned to '{section}'",)
    return SelectedSection(library, factors, np.ones(len(obs), dtype=bool), notes if len(sections) > 1 else ())


def _libraries(file: AnnDataFile) -> dict[str, str]:
    """Return the key of each section's images and scale factors, by its name; '' if the section has no name there.

    scanpy before 1.5 stored them in ``uns`` itself, and some tools leave out the level of names.
    """
    for key in ("uns/spatial", "uns"):
        if file.names(f"{key}/images"):
            return {"": key}
    return {name: f"uns/spatial/{name}" for name in file.names("uns/spatial") if file.names(f"uns/spatial/{name}")}


def _factors(file: AnnDataFile, key: str) -> dict[str, float]:
    """Return the scale factors that are positive numbers; R writes each as an array of one number."""
    values = {name: np.asarray(file.element(f"{key}/{name}")) for name in file.names(key)}
    numbers = {
        name: float(value.item()) for name, value in values.items() if value.size == 1 and value.dtype.kind in "iuf"
    }
    return {name: value for name, value in numbers.items() if 0 < value < np.inf}


def _missing_images(libraries: Mapping[str, str], library: str) -> str:
    names = listed(filter(None, libraries)) or "images without a name"
    return f" for this section: uns['spatial'] has {names}" if libraries and not library else ""


def _choose(sections: Sequence[str], name: str, source: str, path: Path) -> str:
    if name and name not in sections:
        names = listed(filter(None, sections)) or "unnamed"
        raise ConfigError(
            f"{path} has no section '{shortened(name)}'; its sections: {names}", hint="use --set reader.library=NAME"
        )
    if not name and len(sections) > 1:
        shown = ", ".join(map(shortened, sections[:MAX_LISTED])) + (", ..." if len(sections) > MAX_LISTED else "")
        raise UnrecognisedSection(
            f"{path} holds {len(sections)} sections ({shown}, from {source}), expected one",
            hint=f"use --set reader.library={sections[0]}, or write one file per section",
        )
    return name or next(iter(sections), "")
