"""Which section of an object is wanted: objects of several sections keep one picture each in ``uns['spatial']``."""

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

COLUMN = "library_id"  # squidpy's own name for the column that says which section a spot is of


@dataclass(frozen=True, eq=False)
class Library:
    """One section of an object.

    Attributes
    ----------
    place
        Where its picture is (``uns/spatial/NAME``); '' for nowhere.
    factors
        Its scale factors, by name.
    spots
        Which rows of ``obs`` are its own.
    """

    place: str
    factors: Mapping[str, float]
    spots: NDArray[np.bool_]
    notes: tuple[str, ...] = ()


def choose_library(file: AnnDataFile, obs: pd.DataFrame, wanted: str) -> Library:
    """Return the section that is wanted ('': the only one).

    Raises
    ------
    ConfigError
        If there is none of that name.
    UnrecognisedSection
        If there are several and none is named.
    """
    pictures = [name for name in file.names("uns/spatial") if file.names(f"uns/spatial/{name}")]
    column = _column(obs, pictures)
    sections = sorted(set(obs[column].dropna().astype(str))) if column else pictures
    chosen = _choose(sections, wanted, column, file.path)
    picture = chosen if chosen in pictures else pictures[0] if len(pictures) == len(sections) == 1 else ""
    place = f"uns/spatial/{picture}" if picture else ""
    factors = _factors(file, f"{place}/scalefactors") if place else {}
    if column:
        return Library(place, factors, (obs[column].astype(str) == chosen).to_numpy())
    notes = (f"obs does not say of which section a spot is: all are taken for '{chosen}'",) if len(sections) > 1 else ()
    return Library(place, factors, np.ones(len(obs), dtype=bool), notes)


def _factors(file: AnnDataFile, place: str) -> dict[str, float]:
    values = {name: file.element(f"{place}/{name}") for name in file.names(place)}
    numbers = {name: float(value) for name, value in values.items() if isinstance(value, Real)}
    return {name: value for name, value in numbers.items() if 0 < value < np.inf}


def _column(obs: pd.DataFrame, pictures: list[str]) -> str:
    """Return the column of obs whose values name the pictures, else the one squidpy would use; '' for none."""
    for name in (COLUMN, *obs.columns):
        if name in obs.columns and obs[name].dtype.kind == "O":
            values = set(obs[name].dropna().unique())
            if values and values <= set(pictures):
                return str(name)
    return COLUMN if COLUMN in obs.columns and obs[COLUMN].notna().any() else ""


def _choose(sections: list[str], wanted: str, column: str, path: Path) -> str:
    if wanted:
        if wanted not in sections:
            known = ", ".join(sections) or "no names of sections"
            raise ConfigError(f"{path} has no section '{wanted}', but {known}", hint="--set reader.library=NAME")
        return wanted
    if len(sections) > 1:
        by = f"obs['{column}']" if column else "uns['spatial']"
        raise UnrecognisedSection(
            f"{path} holds {len(sections)} sections ({', '.join(sections[:8])}: {by}), one is wanted",
            hint=f"--set reader.library={sections[0]}, or write one section a file",
        )
    return sections[0] if sections else ""
