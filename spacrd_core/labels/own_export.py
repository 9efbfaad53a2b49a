"""Use the spots in SpaCRD's own GeoJSON, corrected in QuPath, to find the frame it was drawn in.

The calls of those spots are not labels, because a detector would learn from itself; only annotations are. A suggested
spot is an annotation of a class of its own, which is not a label until a pathologist gives it another class.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from spacrd_core.errors import LabelError
from spacrd_core.images.bounds import viewer_bounds

if TYPE_CHECKING:
    from pathlib import Path

    from spacrd_core.arrays import Array
    from spacrd_core.section.section import Section

MEASUREMENT = "SpaCRD probability"  # of every spot that SpaCRD exports
SUGGESTION = "SpaCRD suggestion"  # the class of a suggested spot that nobody has classified
MIN_KNOWN = 0.5
MAX_OFFSET = 0.1  # pitches; the export rounds to 0.01 px


@dataclass(frozen=True, eq=False)
class ExportedSpots:
    """The ids and centres of spots in a file, in px of the image that the file was made for."""

    names: tuple[str, ...]
    centres: Array


def exported_frame(section: Section, spots: ExportedSpots, path: Path) -> tuple[Array, float] | None:
    """Return the frame of a file: its corner in px of the image, and its px per full-resolution px.

    It is None if the spots in the file are not those of the section.

    Raises
    ------
    LabelError
        If spots of the same ids are elsewhere in this section, in every frame that the export could have.
    """
    rows = section.counts.obs_names.get_indexer(list(spots.names))
    known = rows >= 0
    if known.mean() < MIN_KNOWN:
        return None
    px = section.counts.obs[["x_px", "y_px"]].to_numpy(dtype=float)[rows[known]]
    pitch_px = section.pitch_um / section.um_per_px
    frames = _possible_frames(section)
    offsets = [_offset((spots.centres[known] + corner) / scale, px) / pitch_px for corner, scale in frames]
    best = int(np.argmin(offsets))
    if offsets[best] > MAX_OFFSET:
        raise LabelError(
            f"the spots in {path} are {offsets[best]:.1f} pitches (median) from the spots of this section with the "
            "same ids",
            hint="give the file of this section, and the image and spot size that its results were made with",
        )
    return frames[best]


def _possible_frames(section: Section) -> list[tuple[Array, float]]:
    """The frames that an export of the section can have: full resolution, its image, and what viewers show of that."""
    slide, whole = section.slide, np.zeros(2)
    if slide is None:
        return [(whole, 1.0)]
    bounds = viewer_bounds(slide)
    corners = [whole, np.array([bounds.left, bounds.top])] if bounds else [whole]
    return [(whole, 1.0), *((corner, slide.scale) for corner in corners)]


def _offset(centres: Array, px: Array) -> float:
    return float(np.median(np.linalg.norm(centres - px, axis=1)))
