"""JPEG and PNG images, by Pillow: decoded once, shown as RGB over white glass."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

import numpy as np
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile

from spacrd_core.errors import ImageError
from spacrd_core.images.background import over_glass
from spacrd_core.images.errors import explained

if TYPE_CHECKING:
    from pathlib import Path

    from PIL import Image
    from PIL.ImageFile import ImageFile

    from spacrd_core.arrays import UInt8Array

# Pillow's own limit (89 Mpx) is below a plain ST image (92 Mpx), and is a global of its module. Opening by the format's
# class does not meet it; this is the limit instead.
MOST_PX = 2**30
MODES = {"1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr"}
GREY = {"1", "L", "LA"}
COLOURLESS = "the image is grey: of the stain there is no colour to see"
BAND = 256


class Photo:
    """A decoded JPEG or PNG. Its EXIF orientation is not applied: positions refer to the pixels as they are stored."""

    def __init__(self, path: Path) -> None:
        with explained(path), path.open("rb") as stream:
            self._image = _image(stream)
            self.width, self.height = self._image.size
            _refuse_unfit(path, self._image)
            self._image.load()
        self.notes: tuple[str, ...] = (COLOURLESS,) if self._image.mode in GREY else ()

    def close(self) -> None:
        """Let go of the pixels."""
        self._image.close()

    def rows(self, top: int, bottom: int) -> UInt8Array:
        """Return rows as RGB; only they are converted, so that the image is held in memory once."""
        pixels = np.empty((bottom - top, self.width, 3), dtype=np.uint8)
        for start in range(top, bottom, BAND):
            stop = min(start + BAND, bottom)
            pixels[start - top : stop - top] = _rgb(self._image.crop((0, start, self.width, stop)))
        return pixels


def photo_size(path: Path) -> tuple[int, int]:
    """Return width and height from the file's header."""
    with explained(path), path.open("rb") as stream:
        return _image(stream).size


def _image(stream: BinaryIO) -> ImageFile:
    is_png = stream.read(4) == b"\x89PNG"
    stream.seek(0)
    return PngImageFile(stream) if is_png else JpegImageFile(stream)


def _refuse_unfit(path: Path, image: ImageFile) -> None:
    if image.mode not in MODES:
        raise ImageError(f"{path} has {image.mode} pixels, 8-bit RGB was wanted", hint="convert it to 8-bit RGB")
    if image.width * image.height > MOST_PX:
        raise ImageError(
            f"{path} is {image.width} x {image.height} px, more than can be decoded at once",
            hint="save it as tiled TIFF",
        )


def _rgb(band: Image.Image) -> UInt8Array:
    if band.has_transparency_data:
        return over_glass(np.asarray(band.convert("RGBA")))
    return np.asarray(band.convert("RGB"))
