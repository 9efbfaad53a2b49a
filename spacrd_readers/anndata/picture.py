"""The pictures squidpy keeps in ``uns['spatial']``: small ones of the full-resolution image, which is in no object."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from spacrd_core.errors import ConfigError, ImageError
from spacrd_readers.anndata.file import explained

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spacrd_readers.anndata.file import AnnDataFile
    from spacrd_readers.anndata.select_section import Library

ROWS = 256  # of a picture, converted in one go
INSTEAD = "--image FILE gives the full-resolution image, --no-image leaves it out"


@dataclass(frozen=True)
class Picture:
    """A picture of a section: its name, where it is, its px per full-resolution px (0 where not said) and its shape."""

    name: str
    place: str
    scale: float
    shape: tuple[int, ...]


def find_picture(file: AnnDataFile, library: Library, wanted: str = "") -> Picture | None:
    """Return the picture that is wanted ('': the finest); None where a section has none.

    Raises
    ------
    ConfigError
        If there is no picture of the name the user gave.
    """
    names = file.names(f"{library.place}/images") if library.place else []
    if wanted and wanted not in names:
        raise ConfigError(
            f"{file.path} has no image '{wanted}', but {', '.join(names) or 'none'}", hint="--set reader.image=NAME"
        )
    found = []
    for name in [wanted] if wanted else names:
        place = f"{library.place}/images/{name}"
        scale = library.factors.get(f"tissue_{name}_scalef", 0.0)
        found.append(Picture(name, place, scale, tuple(file.node(place).shape)))
    return max(found, key=lambda picture: picture.shape, default=None)


def read_pixels(file: AnnDataFile, picture: Picture) -> NDArray[np.uint8]:
    """Return a picture as 8-bit RGB over white glass.

    Raises
    ------
    ImageError
        If it is no 8-bit colour.
    """
    called = f"the image '{picture.name}' of {file.path}"
    if len(picture.shape) != 3 or picture.shape[2] not in (3, 4):
        shape = " x ".join(map(str, picture.shape))
        raise ImageError(f"{called} is {shape}, RGB or RGBA was wanted", hint=INSTEAD)
    node = file.node(picture.place)
    pixels = np.empty((*picture.shape[:2], 3), dtype=np.uint8)
    for top in range(0, len(pixels), ROWS):
        with explained(file.path):
            rows = node[top : top + ROWS]
        pixels[top : top + ROWS] = _rgb(rows, called)
    return pixels


def _rgb(rows: NDArray[Any], called: str) -> NDArray[np.uint8]:
    if rows.dtype == np.uint8 and rows.shape[2] == 3:
        return rows
    if rows.dtype != np.uint8 and (rows.dtype.kind != "f" or not ((rows >= 0) & (rows <= 1)).all()):
        raise ImageError(
            f"{called} has {rows.dtype} values up to {rows.max():.6g}: 8-bit, or floats from 0 to 1, were wanted",
            hint=INSTEAD,
        )
    shown = rows.astype(np.float32) / (255 if rows.dtype == np.uint8 else 1)
    if shown.shape[2] == 4:
        shown = shown[..., :3] * shown[..., 3:] + (1 - shown[..., 3:])
    return np.rint(shown * 255).astype(np.uint8)
