"""The px frame of a Xenium section: that of its aligned H&E, or else of its morphology images."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from spacrd_core.errors import GeometryError
from spacrd_core.images.metadata import image_um_per_px
from spacrd_core.images.raster import image_size
from spacrd_core.section.section import SlideFile
from spacrd_readers._base import UM_PER_PX_TOLERANCE
from spacrd_readers.xenium.alignment import apply_affine, read_alignment

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spacrd_readers.xenium.alignment import Alignment
    from spacrd_readers.xenium.he_image import HeFiles

# Shares of the cells on the image: below the first a note is given, below the second the alignment is refused.
MIN_INSIDE, REFUSED_INSIDE = 0.95, 0.5
MAX_FACTOR = 32  # between copies of a slide: pyramids have up to 32 in one step
ALIGNMENT_HINT = (
    "check that the alignment is of this image (--alignment FILE); use --image-scale X for an image of lower resolution"
)


@dataclass(frozen=True, eq=False)
class Frame:
    """Full-resolution px: ``matrix`` maps um ``(x, y, 1)`` to px; ``slide`` is the H&E, if any."""

    um_per_px: float
    matrix: NDArray[np.float64]
    slide: SlideFile | None = None
    notes: tuple[str, ...] = ()

    def to_px(self, xy_um: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return positions in um (n x 2) in px."""
        return apply_affine(xy_um, self.matrix)


def morphology_frame(pixel_size: float) -> Frame:
    """Return the frame of the morphology images, which share their axes with the um of a bundle's tables."""
    return Frame(pixel_size, np.diag([1 / pixel_size, 1 / pixel_size, 1.0]))


def he_frame(he: HeFiles, pixel_size: float, xy_um: NDArray[np.float64], image_scale: float | None) -> Frame:
    """Return the frame of an aligned H&E, which must contain the cells (n x 2, um).

    Raises
    ------
    GeometryError
        If the alignment is unusable, is inverted, is of a smaller copy, or puts most cells outside the image.
    """
    alignment = read_alignment(he.alignment, pixel_size)
    morphology = morphology_frame(pixel_size)
    scale = image_scale or 1.0
    um_per_px = pixel_size * alignment.morphology_px_per_px
    if image_scale is None:
        _require_resolution(he, um_per_px)
    frame = Frame(um_per_px, np.linalg.inv(alignment.matrix) @ morphology.matrix)
    notes = _check_inside(alignment, frame.to_px(xy_um) * scale, morphology.to_px(xy_um), he, scale)
    return replace(frame, slide=SlideFile(he.image, um_per_px / scale, scale), notes=(*alignment.notes, *notes))


def _require_resolution(he: HeFiles, um_per_px: float) -> None:
    """Refuse an alignment whose px are a whole multiple of those that the image states, or the other way round.

    It was made on a smaller or larger copy of the image: no misalignment gives a whole factor.
    """
    stated = image_um_per_px(he.image)
    ratio = um_per_px / stated if stated else 1.0
    factor = round(max(ratio, 1 / ratio))
    if not 2 <= factor <= MAX_FACTOR or abs(max(ratio, 1 / ratio) / factor - 1) > UM_PER_PX_TOLERANCE:
        return
    copy = "smaller" if ratio > 1 else "larger"
    scale = f"{factor}" if ratio > 1 else f"{1 / factor:.4g}"
    raise GeometryError(
        f"the alignment {he.alignment} gives {he.image} {um_per_px:.4g} um/px, but the file itself states "
        f"{stated:.4g}: it was made on a copy {factor} times {copy}",
        hint=f"give that copy with --image FILE, or use --image-scale {scale}; --image-scale 1 if the um/px stated in "
        "the file is wrong",
    )


def _check_inside(
    alignment: Alignment, placed: NDArray[np.float64], on_morphology: NDArray[np.float64], he: HeFiles, scale: float
) -> tuple[str, ...]:
    """Refuse an alignment that puts most cells outside the image; return a note if some are outside."""
    size = np.array(image_size(he.image))
    inside = _inside(placed, size)
    if inside >= MIN_INSIDE:
        return ()
    if _inside(apply_affine(on_morphology, alignment.matrix) * scale, size) >= MIN_INSIDE:
        raise GeometryError(
            f"{he.alignment} maps morphology px to px of {he.image.name}, the inverse of the expected direction",
            hint="give the matrix exported by Xenium Explorer, which maps H&E px to morphology px",
        )
    outside = f"{1 - inside:.0%} of the cells are outside the H&E"
    dimensions = f"({size[0]} x {size[1]} px)"
    if inside < REFUSED_INSIDE:
        raise GeometryError(f"{outside} {he.image} {dimensions} when aligned with {he.alignment}", hint=ALIGNMENT_HINT)
    return (f"{outside} {he.image.name} {dimensions}",)


def _inside(points: NDArray[np.float64], size: NDArray[np.int64]) -> float:
    return float(((points >= 0) & (points < size)).all(axis=1).mean())
