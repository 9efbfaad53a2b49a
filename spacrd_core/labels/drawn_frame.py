"""The frame in which polygons were drawn: that of the positions, of the image in another size, or of its scanned part.

Viewers crop some scanner slides (SCN, MRXS) to the part that was scanned, and count px from its corner; SpaCRD counts
them from the corner of the whole frame, as OpenSlide and the positions do.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import shapely

from spacrd_core.images.bounds import Bounds, viewer_bounds
from spacrd_core.labels.own_export import exported_frame
from spacrd_core.labels.px_and_um import um_to_px

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spacrd_core.labels.outlines import Polygons
    from spacrd_core.section.section import Section, SlideFile

# Polygons are read in another frame if they contain five times the tissue there, and at least ten spots.
MIN_TISSUE_RATIO, MIN_SPOTS = 5.0, 10
# Polygons were drawn on the whole frame of a cropped slide if more of them lies outside the scanned part otherwise, or
# if they contain twice the spots there; in doubt they were drawn on what viewers show.
MIN_EXCESS_OUTSIDE, MIN_WHOLE_RATIO = 0.05, 2.0


def in_full_resolution(section: Section, polygons: Polygons) -> tuple[Polygons, tuple[str, ...]]:
    """Return the polygons in full-resolution px, and a note if they could have been drawn in several frames."""
    if polygons.unit == "um":
        return replace(polygons, shapes=shapely.transform(polygons.shapes, um_to_px(section).apply)), ()
    if polygons.spots and (exported := exported_frame(section, polygons.spots, polygons.path)):
        return _moved(polygons, *exported), ()
    slide = section.slide
    if slide and (bounds := viewer_bounds(slide)):
        return _from_cropped_slide(section, polygons, slide, bounds)
    return _from_other_size(section, polygons, slide) if slide and slide.scale != 1 else (polygons, ())


def _from_other_size(section: Section, polygons: Polygons, slide: SlideFile) -> tuple[Polygons, tuple[str, ...]]:
    """Return polygons drawn at full resolution, unless they evidently were drawn on an image of another size."""
    px, name = _spots_px(section), slide.path.name
    full_hits, scaled_hits = count_hits(px, polygons.shapes), count_hits(px * slide.scale, polygons.shapes)
    if not fits_evidently(scaled_hits, full_hits, slide.scale):
        note = f"polygons were read in full-resolution px, not in px of {name} ({slide.scale:.4g} each)"
        return polygons, (f"{polygons.path.name}: {note}",)
    note = f"polygons were read in px of {name}, where they contain the spots, not in full-resolution px"
    return _moved(polygons, np.zeros(2), slide.scale), (f"{polygons.path.name}: {note}",)


def fits_evidently(scaled_hits: int, full_hits: int, scale: float) -> bool:
    """Return whether polygons contain far more tissue in a frame of another scale than in full-resolution px."""
    return scaled_hits * scale**2 > MIN_TISSUE_RATIO * full_hits and (scaled_hits >= MIN_SPOTS or not full_hits)


def count_hits(centres: NDArray[np.float64], shapes: NDArray[np.object_]) -> int:
    """Return the number of pairs of a spot and a polygon that contains it."""
    return int(shapely.STRtree(shapely.points(centres)).query(shapes, predicate="intersects").shape[1])


def _from_cropped_slide(
    section: Section, polygons: Polygons, slide: SlideFile, bounds: Bounds
) -> tuple[Polygons, tuple[str, ...]]:
    """Return polygons drawn on the scanned part of a slide, unless they evidently were drawn on the whole frame."""
    corner = np.array([bounds.left, bounds.top])
    readings = {"scanned": _moved(polygons, corner, slide.scale), "whole": _moved(polygons, np.zeros(2), slide.scale)}
    part = shapely.box(bounds.left, bounds.top, bounds.left + bounds.width, bounds.top + bounds.height)
    outside = {name: _share_outside(reading, part, slide.scale) for name, reading in readings.items()}
    px = _spots_px(section)
    spots = {name: count_hits(px, reading.shapes) for name, reading in readings.items()}
    excess = outside["scanned"] - outside["whole"]
    decided_by_area = abs(excess) > MIN_EXCESS_OUTSIDE
    is_whole = excess > 0 if decided_by_area else spots["whole"] > MIN_WHOLE_RATIO * spots["scanned"]
    chosen, other = ("whole", "scanned") if is_whole else ("scanned", "whole")
    titles = {
        "scanned": f"the scanned part of {slide.path.name}, which viewers show and which begins at px "
        f"{bounds.left:.0f}, {bounds.top:.0f}",
        "whole": f"the whole frame of {slide.path.name}",
    }
    note = (
        f"polygons were read in px of {titles[chosen]} ({spots[chosen]} spots in them), not of {titles[other]} "
        f"({spots[other]})"
    )
    return readings[chosen], (f"{polygons.path.name}: {note}",)


def _share_outside(polygons: Polygons, part: shapely.Geometry, scale: float) -> float:
    """Return the share of the polygons' area outside a part of the slide, given in px of the image."""
    image_part = shapely.transform(part, lambda corners: corners / scale)
    area = shapely.area(polygons.shapes).sum()
    return float(1 - shapely.area(shapely.intersection(polygons.shapes, image_part)).sum() / area) if area else 0.0


def _moved(polygons: Polygons, corner: NDArray[np.float64], scale: float) -> Polygons:
    """Return polygons in px of an image from a corner of it as polygons in full-resolution px."""
    shapes = shapely.transform(polygons.shapes, lambda corners: (corners + corner) / scale)
    return replace(polygons, shapes=shapes)


def _spots_px(section: Section) -> NDArray[np.float64]:
    px: NDArray[np.float64] = section.counts.obs[["x_px", "y_px"]].to_numpy(dtype=float)
    return px
