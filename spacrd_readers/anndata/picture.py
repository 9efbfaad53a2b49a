"""Read the downsampled images that squidpy stores in ``uns['spatial']``; the full-resolution image is never stored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from spacrd_core.errors import ConfigError, ImageError
from spacrd_readers.anndata.file import translate_errors

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spacrd_readers.anndata.file import AnnDataFile
    from spacrd_readers.anndata.select_section import SelectedSection

ROWS_PER_READ = 256  # image rows converted at once
IMAGE_HINT = "give the full-resolution image with --image FILE, or leave it out with --no-image"


@dataclass(frozen=True)
class Picture:
    """A stored image: its name, its key, its px per full-resolution px (0 if unknown) and its shape."""

    name: str
    key: str
    scale: float
    shape: tuple[int, ...]


def find_picture(file: AnnDataFile, selected: SelectedSection, image_name: str = "") -> Picture | None:
    """Return the image of a name ('' for the finest); None if the section has none.

    Raises
    ------
    ConfigError
        If there is no image of that name.
    """
    names = file.names(f"{selected.key}/images") if selected.key else []
    if image_name and image_name not in names:
        raise ConfigError(
            f"{file.path} has no image '{image_name}'; its images: {', '.join(names) or 'none'}",
            hint="use --set reader.image=NAME",
        )
    pictures = []
    for name in [image_name] if image_name else names:
        key = f"{selected.key}/images/{name}"
        scale = selected.factors.get(f"tissue_{name}_scalef", 0.0)
        pictures.append(Picture(name, key, scale, tuple(file.node(key).shape)))
    return max(pictures, key=lambda picture: picture.shape, default=None)


def read_pixels(file: AnnDataFile, picture: Picture) -> NDArray[np.uint8]:
    """Return an image as 8-bit RGB over a white background.

    Raises
    ------
    ImageError
        If it is not an 8-bit colour image.
    """
    title = f"the image '{picture.name}' of {file.path}"
    if len(picture.shape) != 3 or picture.shape[2] not in (3, 4):
        shape = " x ".join(map(str, picture.shape))
        raise ImageError(f"{title} has shape {shape}, expected RGB or RGBA", hint=IMAGE_HINT)
    node = file.node(picture.key)
    pixels = np.empty((*picture.shape[:2], 3), dtype=np.uint8)
    for top in range(0, len(pixels), ROWS_PER_READ):
        with translate_errors(file.path):
            rows = node[top : top + ROWS_PER_READ]
        pixels[top : top + ROWS_PER_READ] = _rgb(rows, title)
    return pixels


def _rgb(rows: NDArray[Any], title: str) -> NDArray[np.uint8]:
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
