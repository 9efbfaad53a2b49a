"""An H&E image as rows of 8-bit RGB, whatever file it comes from.

Pillow reads JPEG and PNG, tifffile reads TIFF; other libraries return wrong pixels of some files in silence.
"""

from __future__ import annotations

from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from spacrd_core.errors import ImageError
from spacrd_core.section import SlideFile
from spacrd_core.slide.background import Whitened, is_blacked_out
from spacrd_core.slide.photo import Photo, photo_size
from spacrd_core.slide.reading import explained
from spacrd_core.slide.tiff import Tiff, tiff_size

if TYPE_CHECKING:
    from collections.abc import Iterator

Array = np.ndarray[Any, np.dtype[np.uint8]]
PHOTO = (b"\xff\xd8", b"\x89PNG")
TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


class Raster(Protocol):
    """An open image; ``notes`` are sentences for the user."""

    width: int
    height: int
    notes: tuple[str, ...]

    def rows(self, top: int, bottom: int) -> Array:
        """Return the rows ``top`` to ``bottom`` (exclusive), height x width x 3."""
        ...


class ArrayRaster:
    """An image that is in memory already, height x width x 3."""

    def __init__(self, pixels: Array, notes: tuple[str, ...] = ()) -> None:
        self.height, self.width = pixels.shape[:2]
        self.notes = notes
        self._pixels = pixels

    def rows(self, top: int, bottom: int) -> Array:
        return self._pixels[top:bottom]


def image_size(path: Path) -> tuple[int, int]:
    """Return an image's width and height in px, without decoding it."""
    return tiff_size(path) if _is_tiff(path) else photo_size(path)


@contextmanager
def open_raster(slide: Path | SlideFile) -> Iterator[Raster]:
    """Open an image as rows of RGB; a blacked-out background comes out white.

    Raises
    ------
    ImageError
        If the file is no image, is damaged, or cannot be shown as 8-bit RGB.
    """
    path = slide if isinstance(slide, Path) else slide.path
    if isinstance(slide, SlideFile) and slide.pixels is not None:
        raster: Raster = ArrayRaster(slide.pixels)
        yield Whitened(raster) if is_blacked_out(raster) else raster
        return
    with closing(Tiff(path) if _is_tiff(path) else Photo(path)) as raster:
        yield Whitened(raster) if is_blacked_out(raster) else raster


def _is_tiff(path: Path) -> bool:
    """Tell by the file's first bytes: names lie."""
    with explained(path), path.open("rb") as stream:
        start = stream.read(4)
    if start.startswith(TIFF):
        return True
    if start.startswith(PHOTO):
        return False
    raise ImageError(f"{path} is neither JPEG, PNG nor TIFF", hint="give a JPEG, PNG or TIFF image")
