"""JPEG and PNG images, read by Pillow: decoded once, returned as RGB over white."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

import numpy as np
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile

from spacrd_core.errors import ImageError
from spacrd_core.images.background import flatten_alpha
from spacrd_core.images.errors import translate_errors
from spacrd_core.images.expansion import require_photograph
from spacrd_core.images.jpeg import jpeg_settings
from spacrd_core.images.orientation_tag import AS_STORED, ORIENTATION_TAG, orientation_notes

if TYPE_CHECKING:
    from pathlib import Path

    from PIL import Image
    from PIL.ImageFile import ImageFile

    from spacrd_core.arrays import UInt8Array

# Pillow's own limit (89 Mpx) is below the size of a usual ST image (92 Mpx) and is a global of its module. Opening by
# the format's class bypasses it; this limit replaces it.
MAX_PX = 2**30
SUPPORTED_MODES = {"1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr"}
GREY_MODES = {"1", "L", "LA"}
STAIN_HINT = "give the H&E image with --image FILE: it is in colour; --no-image uses the genes alone"
GREY_NOTE = "the image is grey: it shows no stain colours"
BAND_ROWS = 256


class PillowImage:
    """A decoded JPEG or PNG; its EXIF orientation is not applied, because positions refer to the pixels as stored."""

    def __init__(self, path: Path) -> None:
        with translate_errors(path), path.open("rb") as stream:
            self._image = _open(stream)
            self.width, self.height = self._image.size
            _require_rgb_of_usable_size(path, self._image)
            self.jpeg = jpeg_settings(self._image) if isinstance(self._image, JpegImageFile) else None
            self._image.load()
            orientation = self._image.getexif().get(ORIENTATION_TAG, AS_STORED)
        grey_notes = (GREY_NOTE,) if self._image.mode in GREY_MODES else ()
        self.notes: tuple[str, ...] = (*grey_notes, *orientation_notes(orientation))

    def close(self) -> None:
        """Release the pixels."""
        self._image.close()

    def rows(self, top: int, bottom: int) -> UInt8Array:
        """Return the rows ``top`` to ``bottom`` as RGB; only these are converted, to hold one copy of the image."""
        pixels = np.empty((bottom - top, self.width, 3), dtype=np.uint8)
        for start in range(top, bottom, BAND_ROWS):
            stop = min(start + BAND_ROWS, bottom)
            pixels[start - top : stop - top] = _rgb(self._image.crop((0, start, self.width, stop)))
        return pixels


def pillow_size(path: Path) -> tuple[int, int]:
    """Return width and height from the file's header."""
    with translate_errors(path), path.open("rb") as stream:
        return _open(stream).size


def _open(stream: BinaryIO) -> ImageFile:
    is_png = stream.read(4) == b"\x89PNG"
    stream.seek(0)
    return PngImageFile(stream) if is_png else JpegImageFile(stream)


def _require_rgb_of_usable_size(path: Path, image: ImageFile) -> None:
    if image.mode not in SUPPORTED_MODES:
        hint = (
            STAIN_HINT if image.mode.startswith(("I", "F")) else "convert it to 8-bit RGB"
        )  # grey of more than 8 bits
        raise ImageError(f"{path} has {image.mode} pixels, expected 8-bit RGB", hint=hint)
    require_photograph(path, image.width, image.height)
    if image.width * image.height > MAX_PX:
        raise ImageError(
            f"{path} is {image.width} x {image.height} px, too large to decode in memory",
            hint="save it as a tiled TIFF",
        )


def _rgb(band: Image.Image) -> UInt8Array:
    if band.has_transparency_data:
        return flatten_alpha(np.asarray(band.convert("RGBA")))
    return np.asarray(band.convert("RGB"))
