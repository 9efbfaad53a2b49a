"""Open an H&E image of any supported format as rows of 8-bit RGB."""

from __future__ import annotations

from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import numpy as np

from spacrd_core.errors import ImageError
from spacrd_core.images.background import WhiteBackground, has_black_background
from spacrd_core.images.formats import Backend, choose_backend
from spacrd_core.images.openslide import OpenSlideImage, openslide_size
from spacrd_core.images.pillow import PillowImage, pillow_size
from spacrd_core.images.tiff import TiffImage, tiff_size
from spacrd_core.section.section import SlideFile

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from spacrd_core.arrays import UInt8Array
    from spacrd_core.images.jpeg import Jpeg
    from spacrd_core.images.rows import Raster
    from spacrd_core.section.section import PixelRows

IMAGES: dict[Backend, type[PillowImage | TiffImage | OpenSlideImage]] = {
    "pillow": PillowImage,
    "tifffile": TiffImage,
    "openslide": OpenSlideImage,
}
SIZE_READERS = {"pillow": pillow_size, "tifffile": tiff_size, "openslide": openslide_size}


class ArrayImage:
    """An image in memory, or one whose rows are read by slicing, height x width x 3."""

    jpeg: Jpeg | None = None

    def __init__(self, pixels: UInt8Array | PixelRows, notes: tuple[str, ...] = ()) -> None:
        self.height, self.width = int(pixels.shape[0]), int(pixels.shape[1])
        self.notes = notes
        self._pixels = pixels

    def close(self) -> None:
        """Do nothing, as no file is open."""

    def rows(self, top: int, bottom: int) -> UInt8Array:
        return self._pixels[top:bottom]


class ValidatedImage:
    """A raster whose rows are checked to be 8-bit RGB, because an encoder would accept any other numbers as colours."""

    def __init__(self, path: Path, raster: Raster) -> None:
        self.height, self.width, self.notes, self.jpeg = raster.height, raster.width, raster.notes, raster.jpeg
        self._path, self._raster = path, raster

    def rows(self, top: int, bottom: int) -> UInt8Array:
        pixels = self._raster.rows(top, bottom)
        shape = (int(bottom - top), self.width, 3)
        if pixels.dtype != np.uint8 or pixels.shape != shape:
            raise ImageError(
                f"{self._path} has rows of {pixels.dtype} with shape {pixels.shape}, "
                f"expected 8-bit RGB with shape {shape}",
                hint="export the image as 8-bit RGB",
            )
        return pixels


def image_size(source: SlideFile | Path) -> tuple[int, int]:
    """Return an image's width and height in px, without decoding it."""
    if not isinstance(source, SlideFile):
        return SIZE_READERS[choose_backend(source)](source)
    if source.pixels is None:
        return image_size(source.path)
    height, width = source.pixels.shape[:2]
    return width, height


@contextmanager
def open_raster(source: SlideFile | Path, *, whiten: bool = True) -> Iterator[Raster]:
    """Open an image as rows of RGB; ``whiten`` replaces a blacked-out background by white.

    Raises
    ------
    ImageError
        If the file is not an image, is damaged, or cannot be converted to 8-bit RGB.
    """
    slide = source if isinstance(source, SlideFile) else SlideFile(source, um_per_px=1.0)
    with closing(_open(slide)) as image:
        raster = ValidatedImage(slide.path, image)
        yield WhiteBackground(raster) if whiten and has_black_background(raster) else raster


def _open(slide: SlideFile) -> ArrayImage | PillowImage | TiffImage | OpenSlideImage:
    if slide.pixels is not None:
        return ArrayImage(slide.pixels)
    return IMAGES[choose_backend(slide.path)](slide.path)
