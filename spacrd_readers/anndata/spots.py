"""Read the spots of one section of an object: their names, positions and places on the array."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from spacrd_core.errors import GeometryError, UnrecognisedSection
from spacrd_readers.anndata.recognise import POSITIONS

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from spacrd_readers.anndata.file import AnnDataFile
    from spacrd_readers.anndata.select_section import Library

ARRAY = {"array_x": "array_col", "array_y": "array_row"}
FARTHEST_PX = 1e9  # no image is as wide
ONE = "write one section a file, or choose one by --set reader.library=NAME"


@dataclass(frozen=True, eq=False)
class Spots:
    """The spots of a section.

    Attributes
    ----------
    rows
        Which rows of the file they are, rising.
    table
        A row a spot, by its name: ``x_px``, ``y_px`` and, on a lattice, ``array_x``, ``array_y``.
    order
        The names of all spots of the section in the file, also of those left out.
    notes
        What was left out.
    """

    rows: NDArray[np.int64]
    table: pd.DataFrame
    order: NDArray[Any]
    notes: tuple[str, ...]


def read_spots(file: AnnDataFile, obs: pd.DataFrame, library: Library) -> Spots:
    """Return the spots of a section that are in tissue and have a position.

    Raises
    ------
    GeometryError
        If positions are missing or no pairs of numbers.
    UnrecognisedSection
        If spots share a name or a place on the array, as those of several sections do.
    """
    own = library.spots
    names = obs.index[own]
    if not names.is_unique:
        raise UnrecognisedSection(f"{file.path} has spot {names[names.duplicated()][0]} more than once", hint=ONE)
    table = _positions(file, len(obs))[own].set_axis(names, axis=0).join(_array(obs[own]))
    outside = _out_of_tissue(obs[own])
    lost = ~(table[["x_px", "y_px"]].abs() < FARTHEST_PX).all(axis=1).to_numpy()
    keep = ~(outside | lost)
    if not keep.any():
        raise GeometryError(
            f"{file.path} has no spot in tissue with a position: of {len(names)} spots {outside.sum()} are out of "
            f"tissue and {lost.sum()} have no position",
            hint="check obs['in_tissue'] and obsm['spatial']",
        )
    _refuse_shared_places(table[keep], file.path)
    notes = _left_out("spots out of tissue", names[outside]) + _left_out("spots without a position", names[lost])
    return Spots(np.flatnonzero(own)[keep], table[keep], names.to_numpy(), notes)


def _positions(file: AnnDataFile, count: int) -> pd.DataFrame:
    place = next(place for place in POSITIONS if file.has(place))
    found = np.asarray(file.element(place))
    if found.shape != (count, 2):
        raise GeometryError(
            f"obsm['{place.partition('/')[2]}'] of {file.path} is {' x '.join(map(str, found.shape))}, "
            f"{count} x 2 was wanted: x and y of every spot in px of the full-resolution image"
        )
    try:
        return pd.DataFrame(found.astype(np.float64), columns=["x_px", "y_px"])
    except ValueError as error:
        raise GeometryError(f"the positions of {file.path} are no numbers: {error}") from error


def _array(obs: pd.DataFrame) -> pd.DataFrame:
    """Return the places on the array; none unless every spot has one."""
    if not set(ARRAY.values()) <= set(obs.columns):
        return pd.DataFrame(index=obs.index)
    places = pd.DataFrame({ours: _numbers(obs[theirs]) for ours, theirs in ARRAY.items()}, index=obs.index)
    return places if np.isfinite(places.to_numpy()).all() else places[[]]


def _out_of_tissue(obs: pd.DataFrame) -> NDArray[np.bool_]:
    if "in_tissue" not in obs.columns:
        return np.zeros(len(obs), dtype=bool)
    said = obs["in_tissue"].astype(str).str.casefold().replace({"true": "1", "false": "0"})
    return np.asarray(_numbers(said) == 0)


def _numbers(values: pd.Series[Any]) -> pd.Series[float]:
    return pd.to_numeric(values.astype(str), errors="coerce").astype(np.float64)


def _refuse_shared_places(table: pd.DataFrame, path: Path) -> None:
    if "array_x" not in table.columns:
        return
    shared = table.duplicated(["array_x", "array_y"], keep=False)
    if not shared.any():
        return
    x, y = table.loc[shared, ["array_x", "array_y"]].iloc[0]
    some = table.index[(table["array_x"] == x) & (table["array_y"] == y)]
    raise UnrecognisedSection(
        f"{path} holds more than one section: spots {some[0]} and {some[1]} are both at array column {x:g}, row {y:g}",
        hint=ONE,
    )


def _left_out(what: str, names: pd.Index[str]) -> tuple[str, ...]:
    if not len(names):
        return ()
    some = ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")
    return (f"{what}, left out: {len(names)} ({some})",)
