"""Select one section of an AnnData file: files of several sections have one ``uns['spatial']`` entry per section."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Real
from typing import TYPE_CHECKING

import numpy as np

from spacrd_core.errors import ConfigError, UnrecognisedSection

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pandas as pd
    from numpy.typing import NDArray

    from spacrd_readers.anndata.file import AnnDataFile

LIBRARY_COLUMN = "library_id"  # squidpy's name for the obs column with the section of each spot


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
    """

    key: str
    factors: Mapping[str, float]
    spots: NDArray[np.bool_]
    notes: tuple[str, ...] = ()


def select_section(file: AnnDataFile, obs: pd.DataFrame, name: str) -> SelectedSection:
    """Return the section of a name ('' for the only one).

    Raises
    ------
    ConfigError
        If there is no section of that name.
    UnrecognisedSection
        If there are several and no name is given.
    """
    pictures = [name for name in file.names("uns/spatial") if file.names(f"uns/spatial/{name}")]
    column = _section_column(obs, pictures)
    sections = sorted(set(obs[column].dropna().astype(str))) if column else pictures
    section = _choose(sections, name, column, file.path)
    picture = section if section in pictures else pictures[0] if len(pictures) == len(sections) == 1 else ""
    key = f"uns/spatial/{picture}" if picture else ""
    factors = _factors(file, f"{key}/scalefactors") if key else {}
    if column:
        return SelectedSection(key, factors, (obs[column].astype(str) == section).to_numpy())
    notes = (f"obs has no column with the section of each spot: all were assigned to '{section}'",)
    return SelectedSection(key, factors, np.ones(len(obs), dtype=bool), notes if len(sections) > 1 else ())


def _factors(file: AnnDataFile, key: str) -> dict[str, float]:
    values = {name: file.element(f"{key}/{name}") for name in file.names(key)}
    numbers = {name: float(value) for name, value in values.items() if isinstance(value, Real)}
    return {name: value for name, value in numbers.items() if 0 < value < np.inf}


def _section_column(obs: pd.DataFrame, pictures: list[str]) -> str:
    """Return the obs column whose values are names of pictures, else squidpy's; '' if there is neither."""
    for name in (LIBRARY_COLUMN, *obs.columns):
        if name in obs.columns and obs[name].dtype.kind == "O":
            values = set(obs[name].dropna().unique())
            if values and values <= set(pictures):
                return str(name)
    return LIBRARY_COLUMN if LIBRARY_COLUMN in obs.columns and obs[LIBRARY_COLUMN].notna().any() else ""


def _choose(sections: list[str], name: str, column: str, path: Path) -> str:
    if name:
        if name not in sections:
            names = ", ".join(sections) or "unnamed"
            raise ConfigError(
                f"{path} has no section '{name}'; its sections: {names}", hint="use --set reader.library=NAME"
            )
        return name
    if len(sections) > 1:
        source = f"obs['{column}']" if column else "uns['spatial']"
        raise UnrecognisedSection(
            f"{path} holds {len(sections)} sections ({', '.join(sections[:8])}, from {source}), expected one",
            hint=f"use --set reader.library={sections[0]}, or write one file per section",
        )
    return sections[0] if sections else ""
