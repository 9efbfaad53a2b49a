"""Use the spots in SpaCRD's own GeoJSON, corrected in QuPath, to find the frame it was drawn in.

The calls of those spots are no labels, because a detector would learn from itself; only annotations are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from spacrd_core.errors import LabelError

if TYPE_CHECKING:
    from pathlib import Path

    from spacrd_core.arrays import Array
    from spacrd_core.section.section import Section

MEASUREMENT = "SpaCRD probability"  # of every spot that SpaCRD exports
MIN_SPOTS, MIN_KNOWN = 3, 0.5
MAX_OFFSET = 0.1  # pitches; the export rounds to 0.01 px


@dataclass(frozen=True, eq=False)
class ExportedSpots:
    """The ids and centres of spots in a file, in px of the image that the file was made for."""

    names: tuple[str, ...]
    centres: Array


def px_per_full_px(section: Section, spots: ExportedSpots, path: Path) -> float | None:
    """Return the scale of a file's frame, in px per full-resolution px; None if its spots are not those of the section.

    Raises
    ------
    LabelError
        If spots of the same ids are elsewhere in this section, at full resolution and in px of its image.
    """
    rows = section.counts.obs_names.get_indexer(list(spots.names))
    known = rows >= 0
    if known.sum() < MIN_SPOTS or known.mean() < MIN_KNOWN:
        return None
    px = section.counts.obs[["x_px", "y_px"]].to_numpy(dtype=float)[rows[known]]
    pitch_px = section.pitch_um / section.um_per_px
    scales = {1.0, section.slide.scale} if section.slide else {1.0}
    offsets = {scale: _offset(spots.centres[known] / scale, px) / pitch_px for scale in scales}
    scale = min(offsets, key=lambda scale: offsets[scale])
    if offsets[scale] > MAX_OFFSET:
        raise LabelError(
            f"the spots in {path} are {offsets[scale]:.1f} pitches (median) from the spots of this section with the "
            "same ids",
            hint="give the file of this section, and the image and spot size that its results were made with",
        )
    return scale


def _offset(centres: Array, px: Array) -> float:
    return float(np.median(np.linalg.norm(centres - px, axis=1)))
