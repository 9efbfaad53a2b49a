"""Find the scale of the image that the user gives, by comparison with the image that the positions refer to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from spacrd_core.errors import GeometryError, MissingFile
from spacrd_core.images.raster import image_size
from spacrd_readers._base import MAX_ASPECT_DEVIATION
from spacrd_readers.anndata.picture import SIZE_TOLERANCE_PX

if TYPE_CHECKING:
    from pathlib import Path

    from spacrd_readers.anndata.picture import Picture

IMAGE_SCALE_HINT = "use --image-scale X, image px per full-resolution px"


def image_scale(image: Path, picture: Picture | None, path: Path) -> tuple[float, tuple[str, ...]]:
    """Return image px per full-resolution px, and notes; 1 if no stored ``picture`` of the file ``path`` tells.

    Raises
    ------
    MissingFile
        If there is no such image.
    GeometryError
        If the image cannot show what the stored one shows.
    """
    if not image.is_file():
        raise MissingFile(f"the image {image} does not exist", hint="check the path")
    size = np.array(image_size(image), dtype=float)
    if picture is None:
        return 1.0, (f"{image.name} is assumed to be the full-resolution image: no stored image shows its scale",)
    full = picture.full_size
    if (np.abs(size - full) * picture.scale < SIZE_TOLERANCE_PX).all():
        return 1.0, ()
    across, down = size / full
    scale = float(size.max() / full.max())
    sizes = f"{image} is {size[0]:.0f} x {size[1]:.0f} px, but the positions of {path} are for an image of about "
    if abs(across / down - 1) > MAX_ASPECT_DEVIATION:
        raise GeometryError(
            f"{sizes}{full[0]:.0f} x {full[1]:.0f} px: these are different images",
            hint=f"give the image that the positions refer to, or {IMAGE_SCALE_HINT}",
        )
    if scale > 1:
        raise GeometryError(
            f"{sizes}{full[0]:.0f} x {full[1]:.0f} px: it would have {scale:.3g} times the full resolution",
            hint=f"give the image that the positions refer to, or {IMAGE_SCALE_HINT}",
        )
    return scale, (f"{image.name} has {scale:.4f} times the resolution of the positions",)
