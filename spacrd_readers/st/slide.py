"""Where the spots of a legacy ST section lie on its image, which may be of another resolution than their coordinates.

her2st crops every image to the array frame: 33 x 35 spots, 32 x 34 steps of 200 um. A spot at array position (x, y) is
at pixel ((x - 1) * W / 32, (y - 1) * H / 34) of an image of W x H px, so coordinates tell the size of their image.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from spacrd_core.errors import GeometryError
from spacrd_core.images.raster import image_size
from spacrd_core.section.section import SlideFile

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from spacrd_core.arrays import Array

FRAME_STEPS = np.array([32.0, 34.0])
FRAME_RMS = 0.02  # array steps; real files keep to the frame within 0.0001
STRETCH = 0.01
FEW = 0.1
HINT = "--image-scale X, image px per px of the spot coordinates"


def place_slide(
    image: Path, spots: pd.DataFrame, um_per_px: float, image_scale: float | None
) -> tuple[SlideFile, tuple[str, ...]]:
    """Return the slide with its scale to the spots' coordinates, and what the user should know.

    ``spots`` has columns ``array_x, array_y, x_px, y_px``.

    Raises
    ------
    GeometryError
        If the image's proportions contradict the spots', or the coordinates do not tell its resolution.
    """
    size = np.array(image_size(image), dtype=float)
    notes: tuple[str, ...] = ()
    scale = image_scale
    if scale is None:
        scale, notes = _find_scale(image, size, spots)
    return SlideFile(image, um_per_px / scale, scale), notes


def _find_scale(image: Path, size: Array, spots: pd.DataFrame) -> tuple[float, tuple[str, ...]]:
    frame = _frame_size(spots)
    if frame is None:
        if _outside(spots, size, 1.0).mean() > FEW:
            raise GeometryError(
                f"the spot coordinates do not tell the resolution they are for, and many lie outside the image {image}",
                hint=HINT,
            )
        return 1.0, (f"the spots do not follow the array frame: their coordinates are taken as pixels of {image.name}",)
    if (np.abs(size - frame) < 0.5).all():
        return 1.0, ()
    across, down = size / frame
    found = (
        f"{image} is {size[0]:.0f} x {size[1]:.0f} px, the spot coordinates are for {frame[0]:.0f} x {frame[1]:.0f} px"
    )
    if abs(across / down - 1) > STRETCH:
        raise GeometryError(f"{found}: these are not the same picture", hint=f"check the image, or {HINT}")
    scale = float(across)
    return scale, (f"{image.name} has {scale:.4f} of the resolution of the spot coordinates",)


def _frame_size(spots: pd.DataFrame) -> Array | None:
    """Return the size of the image the coordinates are for; None if they do not follow the array frame."""
    steps = spots[["array_x", "array_y"]].to_numpy(dtype=float) - 1
    pixels = spots[["x_px", "y_px"]].to_numpy(dtype=float)
    px_per_step = (steps * pixels).sum(axis=0) / np.maximum((steps**2).sum(axis=0), 1e-12)
    off = np.sqrt(((pixels - steps * px_per_step) ** 2).mean(axis=0))
    follows = (px_per_step > 0).all() and (off < FRAME_RMS * px_per_step).all()
    return px_per_step * FRAME_STEPS if follows else None


def _outside(spots: pd.DataFrame, size: Array, scale: float) -> Array:
    place = spots[["x_px", "y_px"]].to_numpy(dtype=float) * scale
    return np.asarray(((place < 0) | (place > size)).any(axis=1))
