"""Compare the coordinates in a label table with those of the spots that its ids match, because ids may match by chance.

Every Visium slide has the same barcodes and every ST array has the same ids such as ``10x13``, so the ids of another
section's table may match all spots of this one. The px positions differ, because no two sections have the same position
in their images.
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

OTHER_SECTION_HINT = "check that the file is that of this section"
FRAMES_BY_COLUMNS = {  # the frames that a pair of columns may be in
    ("pxl_col_in_fullres", "pxl_row_in_fullres"): ("px",),
    ("x_px", "y_px"): ("px",),
    ("imagecol", "imagerow"): ("px",),
    ("x_um", "y_um"): ("um",),
    ("x_centroid", "y_centroid"): ("um", "px"),
    ("array_col", "array_row"): ("array",),
    ("array_x", "array_y"): ("array",),
    ("x", "y"): ("px", "um", "array"),  # last: ambiguous names, which are ignored if another pair matches
}
COORDINATE_COLUMNS = frozenset(name for pair in FRAMES_BY_COLUMNS for name in pair)
OBS_COLUMNS = {"px": ("x_px", "y_px"), "um": ("x_um", "y_um"), "array": ("array_x", "array_y")}
# Median distances in pitches: up to the first, a table is confirmed; above the second, it is refused. A section's own
# positions agree to a px, those of another run of its alignment to a few um, and different ST arrays to 0.04. The
# centre of the bins or cells that a table lists in a spot differs slightly from the spot's centre.
MATCH_AND_MISMATCH = {"spot": (0.02, 0.25), "bin": (0.02, 0.5), "cell": (0.5, 0.5)}
MAX_ARRAY_OFFSET = 0.01  # array steps; a section's own file has offset 0, another section's 0.02 or more
MIN_SPOTS = 3  # fewer spots fit any positions after scaling


@dataclass(frozen=True)
class Frame:
    """One frame of a section: the positions of spots, and the pitch in its unit."""

    name: str
    positions: Array
    pitch: float


def coordinates_match(section: Section, table: pd.DataFrame, spots: Array, *, kind: str, path: Path) -> bool:
    """Return whether coordinates confirm that a table is of the section; False if it has no suitable coordinates.

    Parameters
    ----------
    table
        The rows that match a ``kind`` of the section: a ``spot``, or a ``bin`` or ``cell`` in one.
    spots
        The index of the spot of each row.

    Raises
    ------
    LabelError
        If a pair of columns cannot be the positions of those spots in any frame and scale.
    """
    confirmed, (match, mismatch) = False, MATCH_AND_MISMATCH[kind]
    for pair, frames in FRAMES_BY_COLUMNS.items():
        if not set(pair) <= set(table.columns) or (confirmed and pair == ("x", "y")):
            continue
        located, positions = _positions(table[list(pair)], spots)
        candidates = _frames(section, located, [name for name in frames if name != "array" or kind == "spot"])
        if len(located) < MIN_SPOTS or np.ptp(positions, axis=0).max() == 0 or not candidates:
            continue
        distance, frame = min(((_distance(positions, frame), frame) for frame in candidates), key=lambda pair: pair[0])
        if distance > mismatch:
            raise LabelError(
                f"{path} is not from this section: its {pair[0]}, {pair[1]} are {distance:.1f} pitches (median) from "
                "the spots with the same ids, at any scale",
                hint=f"{OTHER_SECTION_HINT}; rename columns that are not positions",
            )
        is_array = frame.name == "array"
        confirmed |= array_positions_match(positions, frame.positions, path) if is_array else distance <= match
    return confirmed


def array_positions_match(positions: Array, own: Array, path: Path) -> bool:
    """Return whether both are equal array positions with decimals; whole numbers confirm nothing.

    Raises
    ------
    LabelError
        If they have decimals and differ, because a section's own file has the same positions.
    """
    if not (_has_decimals(positions) and _has_decimals(own)):
        return False
    offset = float(np.median(np.abs(positions - own)))
    if offset > MAX_ARRAY_OFFSET:
        raise LabelError(
            f"the x, y of {path} are {offset:.3f} array steps off this section's spots (median), expected 0",
            hint=OTHER_SECTION_HINT,
        )
    return True


def _positions(columns: pd.DataFrame, spots: Array) -> tuple[Array, Array]:
    """Return the spots that have a position in the table, and the mean position over the rows of each spot."""
    positions = columns.to_numpy(dtype=float)
    finite = np.isfinite(positions).all(axis=1)
    located, rows = np.unique(spots[finite], return_inverse=True)
    sums = [np.bincount(rows, weights=axis, minlength=len(located)) for axis in positions[finite].T]
    return located, np.stack(sums, axis=1) / np.bincount(rows, minlength=len(located))[:, None]


def _frames(section: Section, located: Array, names: list[str]) -> list[Frame]:
    obs = section.counts.obs
    pitches = {"px": section.pitch_um / section.um_per_px, "um": section.pitch_um, "array": 1.0}
    return [
        Frame(name, obs[list(OBS_COLUMNS[name])].to_numpy(dtype=float)[located], pitches[name])
        for name in names
        if set(OBS_COLUMNS[name]) <= set(obs.columns)
    ]


def _distance(positions: Array, frame: Frame) -> float:
    """Return the median distance to a frame's positions in pitches, for both column orders, after fitting."""
    residuals = [_fit(order, frame) - frame.positions for order in (positions, positions[:, ::-1])]
    return min(float(np.median(np.linalg.norm(residual, axis=1))) for residual in residuals) / frame.pitch


def _fit(positions: Array, frame: Frame) -> Array:
    """Return positions scaled to those of a frame, or shifted to those of an array."""
    if frame.name == "array":
        return np.asarray(positions + np.median(frame.positions - positions, axis=0))
    return np.asarray(positions * ((positions * frame.positions).sum() / (positions**2).sum()))


def _has_decimals(positions: Array) -> bool:
    return bool((positions != np.round(positions)).any())
