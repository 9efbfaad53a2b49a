"""Read the spots of one section of an AnnData file: their names, positions and array coordinates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from spacrd_core.errors import GeometryError, UnrecognisedSection
from spacrd_readers._base import first_names
from spacrd_readers.anndata.groupings import array_positions, as_numbers, repeated_keys
from spacrd_readers.anndata.positions import POSITION_KEYS, display_key, read_positions

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from spacrd_readers.anndata.file import AnnDataFile
    from spacrd_readers.anndata.select_section import SelectedSection

MAX_POSITION_PX = 1e9  # wider than any image
ONE_SECTION_HINT = (
    "write one file per section, or the section of each spot into obs['library_id'] and use --set reader.library=NAME"
)


@dataclass(frozen=True, eq=False)
class Spots:
    """The spots of a section.

    Attributes
    ----------
    rows
        Their rows in the file, in ascending order.
    table
        One row per spot, indexed by its name: ``x_px``, ``y_px`` and, on a lattice, ``array_x``, ``array_y``.
    order
        The names of all spots of the section in the file, including those left out.
    key
        The key of the positions in the file.
    notes
        What was left out.
    """

    rows: NDArray[np.int64]
    table: pd.DataFrame
    order: NDArray[Any]
    key: str
    notes: tuple[str, ...]

    @property
    def xy_px(self) -> NDArray[np.float64]:
        """Their positions, n x 2."""
        xy_px: NDArray[np.float64] = self.table[["x_px", "y_px"]].to_numpy(dtype=np.float64)
        return xy_px


def read_spots(file: AnnDataFile, obs: pd.DataFrame, selected: SelectedSection, *, key: str) -> Spots:
    """Return the spots of a section that are in tissue and have a position; ``key`` is that of the positions.

    Raises
    ------
    GeometryError
        If positions are missing or are not pairs of numbers.
    UnrecognisedSection
        If spots share a name or an array position, as in files of several sections.
    """
    mask = selected.spots
    names = obs.index[mask]
    if not names.is_unique:
        raise UnrecognisedSection(
            f"{file.path} has spot {names[names.duplicated()][0]} more than once", hint=ONE_SECTION_HINT
        )
    table = read_positions(file, len(obs), key)[mask].set_axis(names, axis=0).join(_array(obs[mask]))
    outside = out_of_tissue(obs[mask])
    unplaced = ~(table[["x_px", "y_px"]].abs() < MAX_POSITION_PX).all(axis=1).to_numpy()
    keep = ~(outside | unplaced)
    if not keep.any():
        raise GeometryError(
            f"{file.path} has no spot in tissue with a position: of {len(names)} spots, {outside.sum()} are out of "
            f"tissue and {unplaced.sum()} have no position",
            hint="check obs['in_tissue'] and obsm['spatial']",
        )
    _refuse_several_sections(obs[mask][keep], file.path)
    notes = _frame_note(key) + _left_out("spots out of tissue", names[outside])
    notes += _left_out("spots without a position", names[unplaced])
    return Spots(np.flatnonzero(mask)[keep], table[keep], names.to_numpy(), key, notes)


def _array(obs: pd.DataFrame) -> pd.DataFrame:
    """Return the array coordinates; no columns unless every spot has both."""
    array = array_positions(obs)
    return pd.DataFrame(index=obs.index) if array is None else array.set_axis(obs.index, axis=0)


def out_of_tissue(obs: pd.DataFrame) -> NDArray[np.bool_]:
    """Return which spots are stated to be out of tissue."""
    if "in_tissue" not in obs.columns:
        return np.zeros(len(obs), dtype=bool)
    flags = obs["in_tissue"].astype(str).str.casefold().replace({"true": "1", "false": "0"})
    return np.asarray(as_numbers(flags) == 0)


def _refuse_several_sections(obs: pd.DataFrame, path: Path) -> None:
    """Refuse spots of which two share their array position or barcode: they are of different sections."""
    keys = repeated_keys(obs)
    repeated = keys.duplicated(keep=False).to_numpy()
    if not repeated.any():
        return
    rows = np.flatnonzero(repeated & (keys == keys[repeated].iloc[0]).all(axis=1).to_numpy())
    key = keys.iloc[rows[0]]
    if "array_x" in keys:
        shared = f"are both at array column {key['array_x']:g}, row {key['array_y']:g}"
    else:
        shared = f"both have barcode {key['name']}"
    names = obs.index[rows]
    raise UnrecognisedSection(
        f"{path} holds more than one section: spots {names[0]} and {names[1]} {shared}", hint=ONE_SECTION_HINT
    )


def _frame_note(key: str) -> tuple[str, ...]:
    if key in POSITION_KEYS:
        return ()
    return (f"positions are {display_key(key)}: they refer to the image of that name, not to the whole image",)


def _left_out(what: str, names: pd.Index[str]) -> tuple[str, ...]:
    return (f"{what}, left out: {len(names)} ({first_names(names)})",) if len(names) else ()
