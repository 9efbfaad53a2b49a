"""Compare the coordinates a label table carries with those of the spots its ids name: ids alone may join by chance.

Every Visium slide has the same barcodes and every ST array the same ``10x13``, so the table of another section may name
all spots of this one. Its px differ, though: no two sections lie alike in their images.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from spacrd_core.errors import LabelError

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from spacrd_core.arrays import Array
    from spacrd_core.section.section import Section

OTHER_SECTION = "is it the file of this section? check --labels"
PAIRS = {  # which frames of a section a pair of columns may be in
    ("pxl_col_in_fullres", "pxl_row_in_fullres"): ("px",),
    ("x_px", "y_px"): ("px",),
    ("imagecol", "imagerow"): ("px",),
    ("x_um", "y_um"): ("um",),
    ("x_centroid", "y_centroid"): ("um", "px"),
    ("array_col", "array_row"): ("array",),
    ("array_x", "array_y"): ("array",),
    ("x", "y"): ("px", "um", "array"),  # last: anything may be called so, and an agreement of the others excuses it
}
COLUMNS = frozenset(name for pair in PAIRS for name in pair)
OURS = {"px": ("x_px", "y_px"), "um": ("x_um", "y_um"), "array": ("array_x", "array_y")}
# In pitches, how near coordinates prove a table and how far they refute it. A section's own positions agree to a px,
# another run of its alignment to a few um, and ST's arrays among each other to 0.04. The middle of the bins or cells
# that a table names in a spot is not quite the spot's.
NEAR_AND_FAR = {"spot": (0.02, 0.25), "bin": (0.02, 0.5), "cell": (0.5, 0.5)}
OFFSET = 0.01  # array steps; a section's own file repeats its coordinates, that of another is off by 0.02 or more
FEW = 3  # spots; fewer can be scaled onto anything


@dataclass(frozen=True)
class Frame:
    """One frame of a section: the positions of spots in it, and how much of it a pitch is."""

    name: str
    positions: Array
    pitch: float


def proven_by_coordinates(section: Section, table: pd.DataFrame, spots: Array, *, kind: str, path: Path) -> bool:
    """Return whether coordinates prove a table to be of the section; False if it carries none that could.

    Parameters
    ----------
    table
        The rows that name a ``kind`` of the section: a ``spot``, or a ``bin`` or ``cell`` in one.
    spots
        The index of that spot for each.

    Raises
    ------
    LabelError
        If a pair of columns cannot be the positions of those spots, whatever its frame and scale.
    """
    proven, (near, far) = False, NEAR_AND_FAR[kind]
    for pair, frames in PAIRS.items():
        if not set(pair) <= set(table.columns) or (proven and pair == ("x", "y")):
            continue
        where, theirs = _places(table[list(pair)], spots)
        candidates = _frames(section, where, [name for name in frames if name != "array" or kind == "spot"])
        if len(where) < FEW or np.ptp(theirs, axis=0).max() == 0 or not candidates:
            continue
        apart, frame = min(((_apart(theirs, frame), frame) for frame in candidates), key=lambda found: found[0])
        if apart > far:
            raise LabelError(
                f"{path} is not of this section: its {pair[0]}, {pair[1]} lie {apart:.1f} pitches (median) from the "
                "spots that its ids name, at whatever scale",
                hint=f"{OTHER_SECTION}; columns that hold no positions need another name",
            )
        proven |= repeats_fractions(theirs, frame.positions, path) if frame.name == "array" else apart <= near
    return proven


def repeats_fractions(theirs: Array, ours: Array, path: Path) -> bool:
    """Return whether both have array positions with decimals, which then are the same.

    Raises
    ------
    LabelError
        If they are not: a section's own file repeats its positions.
    """
    if not (_fractional(theirs) and _fractional(ours)):
        return False
    offset = float(np.median(np.abs(theirs - ours)))
    if offset > OFFSET:
        raise LabelError(
            f"the x, y of {path} are {offset:.3f} array steps off this section's spots (median), not 0",
            hint=OTHER_SECTION,
        )
    return True


def _places(columns: pd.DataFrame, spots: Array) -> tuple[Array, Array]:
    """Return which spots have a position in the table, and the mean of it over the rows of each."""
    positions = columns.to_numpy(dtype=float)
    finite = np.isfinite(positions).all(axis=1)
    where, rows = np.unique(spots[finite], return_inverse=True)
    sums = [np.bincount(rows, weights=axis, minlength=len(where)) for axis in positions[finite].T]
    return where, np.stack(sums, axis=1) / np.bincount(rows, minlength=len(where))[:, None]


def _frames(section: Section, where: Array, names: list[str]) -> list[Frame]:
    obs = section.counts.obs
    pitches = {"px": section.pitch_um / section.um_per_px, "um": section.pitch_um, "array": 1.0}
    return [
        Frame(name, obs[list(OURS[name])].to_numpy(dtype=float)[where], pitches[name])
        for name in names
        if set(OURS[name]) <= set(obs.columns)
    ]


def _apart(theirs: Array, frame: Frame) -> float:
    """Return the median distance to positions in pitches, columns either way round, scaled (an array: shifted)."""
    fits = [_fit(way, frame) - frame.positions for way in (theirs, theirs[:, ::-1])]
    return min(float(np.median(np.linalg.norm(fit, axis=1))) for fit in fits) / frame.pitch


def _fit(theirs: Array, frame: Frame) -> Array:
    if frame.name == "array":
        return np.asarray(theirs + np.median(frame.positions - theirs, axis=0))
    return np.asarray(theirs * ((theirs * frame.positions).sum() / (theirs**2).sum()))


def _fractional(positions: Array) -> bool:
    return bool((positions != np.round(positions)).any())
