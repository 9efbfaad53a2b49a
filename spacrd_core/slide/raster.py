"""An H&E image as rows of 8-bit RGB, whatever file it comes from.

Pillow reads JPEG and PNG, tifffile reads TIFF; other libraries return wrong pixels of some files in silence.
"""

from __future__ import annotations

import warnings
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import tifffile
import zarr
from PIL import Image, UnidentifiedImageError

from spacrd_core.errors import ImageError, MissingFile

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Array = np.ndarray[Any, np.dtype[np.uint8]]
TIFF = {".tif", ".tiff", ".btf", ".svs"}
BLACK = 8
PAINTED = "the image's background is blacked out; it was painted white"


class Raster(Protocol):
    """An open image; ``notes`` are sentences for the user."""

    width: int
    height: int
    notes: tuple[str, ...]

    def rows(self, top: int, bottom: int) -> Array:
        """Return the rows ``top`` to ``bottom`` (exclusive), height x width x 3."""
        ...


class ArrayRaster:
    """An image held in memory, or lazily in a TIFF; ``(height, width, 3)``."""

    def __init__(self, pixels: Any, notes: tuple[str, ...] = ()) -> None:
        self.height, self.width = pixels.shape[:2]
        self.notes = notes
        self._pixels = pixels

    def rows(self, top: int, bottom: int) -> Array:
        return np.asarray(self._pixels[top:bottom])


class Whitened:
    """An image whose blacked-out background is shown as glass: an encoder would take black for the densest stain."""

    def __init__(self, raster: Raster) -> None:
        self.height, self.width = raster.height, raster.width
        self.notes = (*raster.notes, PAINTED)
        self._raster = raster

    def rows(self, top: int, bottom: int) -> Array:
        pixels = self._raster.rows(top, bottom).copy()
        pixels[(pixels <= BLACK).all(axis=2)] = 255
        return pixels


def image_size(path: Path) -> tuple[int, int]:
    """Return an image's width and height in px, without decoding it."""
    with _explained(path):
        if path.suffix.lower() in TIFF:
            with tifffile.TiffFile(path) as file:
                page = file.series[0].levels[0].keyframe
                return int(page.imagewidth), int(page.imagelength)
        with Image.open(path) as image:
            return image.size


@contextmanager
def open_raster(path: Path) -> Iterator[Raster]:
    """Open an image as rows of RGB; a blacked-out background comes out white.

    Raises
    ------
    ImageError
        If the file is no image, is damaged, or cannot be shown as 8-bit RGB.
    """
    with ExitStack() as stack:
        with _explained(path):
            pixels = stack.enter_context(_tiff(path)) if path.suffix.lower() in TIFF else _decoded(path)
            raster = ArrayRaster(pixels)
            blacked_out = _blacked_out(raster)
        yield Whitened(raster) if blacked_out else raster


def _decoded(path: Path) -> Array:
    with Image.open(path) as image:
        if image.mode in {"RGBA", "LA", "PA"} or "transparency" in image.info:
            glass = Image.new("RGBA", image.size, "white")
            return np.asarray(Image.alpha_composite(glass, image.convert("RGBA")).convert("RGB"))
        if image.mode in {"RGB", "L", "P", "1", "CMYK", "YCbCr"}:
            return np.asarray(image.convert("RGB"))
        raise ImageError(f"{path} has {image.mode} pixels, 8-bit RGB was wanted", hint="convert it to 8-bit RGB")


@contextmanager
def _tiff(path: Path) -> Iterator[_Lazy]:
    with tifffile.TiffFile(path) as file:
        level = file.series[0].levels[0]
        if level.dtype != np.uint8 or level.axes not in {"YXS", "SYX", "CYX"} or 3 not in level.shape[::2]:
            raise ImageError(
                f"{path} holds {level.dtype} pixels of shape {level.shape} ({level.axes}), 8-bit RGB was wanted",
                hint="convert it to 8-bit RGB",
            )
        with level.aszarr() as pixels:
            yield _Lazy(path, zarr.open_array(pixels, mode="r"), planar=level.axes != "YXS")


class _Lazy:
    """The pixels of a TIFF, decoded row by row as they are read; planes are shown as pixels."""

    def __init__(self, path: Path, pixels: Any, *, planar: bool) -> None:
        self.shape = (*pixels.shape[1:], 3) if planar else pixels.shape
        self._path, self._pixels, self._planar = path, pixels, planar

    def __getitem__(self, rows: slice) -> Array:
        with _explained(self._path):
            if self._planar:
                return np.moveaxis(np.asarray(self._pixels[:, rows]), 0, -1)
            return np.asarray(self._pixels[rows])


def _blacked_out(raster: Raster) -> bool:
    """Whether most of the image's border is black."""
    strips = [raster.rows(0, 1)[0], raster.rows(raster.height - 1, raster.height)[0]]
    step = max(1, raster.height // 64)
    strips += [raster.rows(row, row + 1)[0, [0, -1]] for row in range(0, raster.height, step)]
    return bool((np.concatenate(strips) <= BLACK).all(axis=1).mean() > 0.5)


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Name the file in whatever goes wrong, and let slides be as large as they are."""
    if not path.is_file():
        raise MissingFile(f"there is no image at {path}", hint="check --image")
    limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            yield
    except (UnidentifiedImageError, tifffile.TiffFileError) as error:
        raise ImageError(f"{path} is not an image that can be read: {error}", hint="JPEG, PNG or TIFF") from error
    except (OSError, SyntaxError, ValueError) as error:
        if isinstance(error, ImageError):
            raise
        raise ImageError(f"{path} is damaged: {error}", hint="copy or export it again") from error
    finally:
        Image.MAX_IMAGE_PIXELS = limit
