"""Scale a legacy ST image to its spot coordinates, which may refer to an image of another resolution.

her2st crops every image to the array frame: 33 x 35 spots, 32 x 34 steps of 200 um. A spot at array position (x, y) is
at pixel ((x - 1) * W / 32, (y - 1) * H / 34) of an image of W x H px, so the coordinates determine the image size.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from spacrd_core.errors import GeometryError
from spacrd_core.images.raster import image_size
from spacrd_core.section.section import SlideFile
from spacrd_readers._base import MAX_ASPECT_DEVIATION

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from spacrd_core.arrays import Array

FRAME_STEPS = np.array([32.0, 34.0])
MAX_FRAME_RMS = 0.02  # in array steps; real files deviate from the frame by less than 0.0001
MAX_OUTSIDE = 0.1  # share of spots outside the image
IMAGE_SCALE_HINT = "use --image-scale X, image px per px of the spot coordinates"


def place_slide(
    image: Path, spots: pd.DataFrame, um_per_px: float, image_scale: float | None
) -> tuple[SlideFile, tuple[str, ...]]:
    """Return the slide with its scale relative to the spot coordinates, and notes.

    ``spots`` has columns ``array_x, array_y, x_px, y_px``.

    Raises
    ------
    GeometryError
        If the image and the coordinates differ in aspect ratio, or the coordinates do not determine the resolution.
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
        if _outside(spots, size, 1.0).mean() > MAX_OUTSIDE:
            raise GeometryError(
                f"the resolution of the spot coordinates is unknown, and many spots are outside the image {image}",
                hint=IMAGE_SCALE_HINT,
            )
        return 1.0, (f"the spots do not follow the array frame: their coordinates are used as px of {image.name}",)
    if (np.abs(size - frame) < 0.5).all():
        return 1.0, ()
    across, down = size / frame
    if abs(across / down - 1) > MAX_ASPECT_DEVIATION:
        raise GeometryError(
            f"{image} is {size[0]:.0f} x {size[1]:.0f} px, but the spot coordinates are for "
            f"{frame[0]:.0f} x {frame[1]:.0f} px: these are different images",
            hint=f"check the image, or {IMAGE_SCALE_HINT}",
        )
    scale = float(across)
    return scale, (f"{image.name} has {scale:.4f} times the resolution of the spot coordinates",)


def _frame_size(spots: pd.DataFrame) -> Array | None:
    """Return the size of the image that the coordinates refer to; None if they do not follow the array frame."""
    steps = spots[["array_x", "array_y"]].to_numpy(dtype=float) - 1
    pixels = spots[["x_px", "y_px"]].to_numpy(dtype=float)
    px_per_step = (steps * pixels).sum(axis=0) / np.maximum((steps**2).sum(axis=0), 1e-12)
    off = np.sqrt(((pixels - steps * px_per_step) ** 2).mean(axis=0))
    follows = (px_per_step > 0).all() and (off < MAX_FRAME_RMS * px_per_step).all()
    return px_per_step * FRAME_STEPS if follows else None


def _outside(spots: pd.DataFrame, size: Array, scale: float) -> Array:
    positions = spots[["x_px", "y_px"]].to_numpy(dtype=float) * scale
    return np.asarray(((positions < 0) | (positions > size)).any(axis=1))
