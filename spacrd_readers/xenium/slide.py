"""The frame of a Xenium section's px: its H&E's, through the alignment, or else its morphology images'."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from spacrd_core.errors import GeometryError
from spacrd_core.images.raster import image_size
from spacrd_core.section.section import SlideFile
from spacrd_readers.xenium.alignment import moved, read_alignment

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spacrd_readers.xenium.alignment import Alignment
    from spacrd_readers.xenium.he_image import HeFiles

NEARLY_ALL, MOSTLY = 0.95, 0.5
CHECK = "is the alignment that of this image? --alignment FILE; --image-scale X for an image of lower resolution"


@dataclass(frozen=True, eq=False)
class Frame:
    """Full-resolution px: ``matrix`` takes um ``(x, y, 1)`` there; ``slide`` is the H&E, if any."""

    um_per_px: float
    matrix: NDArray[np.float64]
    slide: SlideFile | None = None
    notes: tuple[str, ...] = ()

    def to_px(self, xy_um: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return where places in um (n x 2) lie."""
        return moved(xy_um, self.matrix)


def morphology_frame(pixel_size: float) -> Frame:
    """Return the frame of the morphology images, which share their axes with the um of a bundle's tables."""
    return Frame(pixel_size, np.diag([1 / pixel_size, 1 / pixel_size, 1.0]))


def he_frame(he: HeFiles, pixel_size: float, xy_um: NDArray[np.float64], image_scale: float | None) -> Frame:
    """Return the frame of an aligned H&E, on which the cells (n x 2, um) must lie.

    Raises
    ------
    GeometryError
        If the alignment is unusable, is the inverse of what is wanted, or puts most cells outside the image.
    """
    alignment = read_alignment(he.alignment, pixel_size)
    morphology = morphology_frame(pixel_size)
    scale = image_scale or 1.0
    um_per_px = pixel_size * alignment.morphology_px_per_px
    frame = Frame(um_per_px, np.linalg.inv(alignment.matrix) @ morphology.matrix)
    notes = _checked(alignment, frame.to_px(xy_um) * scale, morphology.to_px(xy_um), he, scale)
    return replace(frame, slide=SlideFile(he.image, um_per_px / scale, scale), notes=(*alignment.notes, *notes))


def _checked(
    alignment: Alignment, placed: NDArray[np.float64], on_morphology: NDArray[np.float64], he: HeFiles, scale: float
) -> tuple[str, ...]:
    """Refuse an alignment that takes the cells out of the image; note one that takes some."""
    size = np.array(image_size(he.image))
    inside = _inside(placed, size)
    if inside >= NEARLY_ALL:
        return ()
    if _inside(moved(on_morphology, alignment.matrix) * scale, size) >= NEARLY_ALL:
        raise GeometryError(
            f"{he.alignment} takes morphology px to px of {he.image.name}, the inverse of what is wanted",
            hint="give the matrix as Xenium Explorer exports it: H&E px to morphology px",
        )
    found = f"{1 - inside:.0%} of the cells lie outside the H&E {he.image} ({size[0]} x {size[1]} px)"
    if inside < MOSTLY:
        raise GeometryError(f"{found} when aligned by {he.alignment}", hint=CHECK)
    return (found.replace(str(he.image), he.image.name),)


def _inside(points: NDArray[np.float64], size: NDArray[np.int64]) -> float:
    return float(((points >= 0) & (points < size)).all(axis=1).mean())
