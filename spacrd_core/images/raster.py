"""An H&E image as rows of 8-bit RGB, whatever file it comes from."""

from __future__ import annotations

from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import numpy as np

from spacrd_core.errors import ImageError
from spacrd_core.images.background import Whitened, is_blacked_out
from spacrd_core.images.formats import Kind, kind_of
from spacrd_core.images.openslide import Vendor, vendor_size
from spacrd_core.images.pillow import Photo, photo_size
from spacrd_core.images.tiff import Tiff, tiff_size
from spacrd_core.section.section import SlideFile

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from spacrd_core.arrays import UInt8Array
    from spacrd_core.images.rows import Raster

OPENERS: dict[Kind, type[Photo | Tiff | Vendor]] = {"photo": Photo, "tiff": Tiff, "vendor": Vendor}
SIZES = {"photo": photo_size, "tiff": tiff_size, "vendor": vendor_size}


class ArrayRaster:
    """An image that is in memory already, height x width x 3."""

    def __init__(self, pixels: UInt8Array, notes: tuple[str, ...] = ()) -> None:
        self.height, self.width = pixels.shape[:2]
        self.notes = notes
        self._pixels = pixels

    def close(self) -> None:
        """Nothing is open."""

    def rows(self, top: int, bottom: int) -> UInt8Array:
        return self._pixels[top:bottom]


class Checked:
    """A raster held to what it promises: an encoder would take any other numbers for colours."""

    def __init__(self, path: Path, raster: Raster) -> None:
        self.height, self.width, self.notes = raster.height, raster.width, raster.notes
        self._path, self._raster = path, raster

    def rows(self, top: int, bottom: int) -> UInt8Array:
        pixels = self._raster.rows(top, bottom)
        wanted = (int(bottom - top), self.width, 3)
        if pixels.dtype != np.uint8 or pixels.shape != wanted:
            found = f"{pixels.dtype} of shape {pixels.shape}"
            raise ImageError(
                f"{self._path} gives rows as {found}, 8-bit RGB of shape {wanted} was wanted",
                hint="export the image as 8-bit RGB",
            )
        return pixels


def image_size(source: SlideFile | Path) -> tuple[int, int]:
    """Return an image's width and height in px, without decoding it."""
    if not isinstance(source, SlideFile):
        return SIZES[kind_of(source)](source)
    if source.pixels is None:
        return image_size(source.path)
    height, width = source.pixels.shape[:2]
    return width, height


@contextmanager
def open_raster(source: SlideFile | Path) -> Iterator[Raster]:
    """Open an image as rows of RGB; a blacked-out background comes out white.

    Raises
    ------
    ImageError
        If the file is no image, is damaged, or cannot be shown as 8-bit RGB.
    """
    slide = source if isinstance(source, SlideFile) else SlideFile(source, um_per_px=1.0)
    with closing(_opened(slide)) as opened:
        raster = Checked(slide.path, opened)
        yield Whitened(raster) if is_blacked_out(raster) else raster


def _opened(slide: SlideFile) -> ArrayRaster | Photo | Tiff | Vendor:
    if slide.pixels is not None:
        return ArrayRaster(slide.pixels)
    return OPENERS[kind_of(slide.path)](slide.path)
