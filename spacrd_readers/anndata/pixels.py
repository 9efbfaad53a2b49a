"""Read an image stored in AnnData as 8-bit RGB."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from spacrd_core.errors import ImageError
from spacrd_core.quoting import shortened
from spacrd_readers.anndata.file import translate_errors

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spacrd_readers.anndata.file import AnnDataFile
    from spacrd_readers.anndata.picture import Picture

ROWS_PER_READ = 256  # image rows converted at once
IMAGE_HINT = "give the full-resolution image with --image FILE, or leave it out with --no-image"


def read_pixels(file: AnnDataFile, picture: Picture) -> NDArray[np.uint8]:
    """Return an image as 8-bit RGB over a white background.

    Raises
    ------
    ImageError
        If it is not an 8-bit colour image.
    """
    title = f"the image '{shortened(picture.name)}' of {file.path}"
    if len(picture.shape) != 3 or picture.shape[2] not in (3, 4):
        shape = " x ".join(map(str, picture.shape))
        raise ImageError(f"{title} has shape {shape}, expected RGB or RGBA", hint=IMAGE_HINT)
    node = file.node(picture.key)
    pixels = np.empty((*picture.shape[:2], 3), dtype=np.uint8)
    for top in range(0, len(pixels), ROWS_PER_READ):
        with translate_errors(file.path):
            rows = node[top : top + ROWS_PER_READ]
        pixels[top : top + ROWS_PER_READ] = to_rgb(rows, title)
    return pixels


def to_rgb(rows: NDArray[Any], title: str) -> NDArray[np.uint8]:
    """Return rows of RGB or RGBA, as 8-bit values or floats from 0 to 1, as 8-bit RGB over a white background."""
    if rows.dtype == np.uint8 and rows.shape[2] == 3:
        return rows
    if rows.dtype != np.uint8 and (rows.dtype.kind != "f" or not ((rows >= 0) & (rows <= 1)).all()):
        raise ImageError(
            f"{title} has {rows.dtype} values up to {rows.max():.6g}, expected 8-bit values or floats from 0 to 1",
            hint=IMAGE_HINT,
        )
    light = rows.astype(np.float32) / (255 if rows.dtype == np.uint8 else 1)
    if light.shape[2] == 4:
        light = light[..., :3] * light[..., 3:] + (1 - light[..., 3:])
    return np.rint(light * 255).astype(np.uint8)
