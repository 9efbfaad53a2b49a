"""TIFF, BigTIFF, OME-TIFF and SVS images, by tifffile: decoded band by band, never as a whole."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING

import numpy as np
import tifffile

from spacrd_core.errors import ImageError
from spacrd_core.images.background import over_glass, premultiplied_over_white
from spacrd_core.images.errors import explained
from spacrd_core.images.rows import Bands
from spacrd_core.images.tiff_image import EXPORT, TiffImage, find_image
from spacrd_core.images.tiff_segments import Segments

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from spacrd_core.arrays import UInt8Array

GIB = 2**30
SAMPLES = 16
CLEAR = 0.9  # the share of a transparency channel that is all or nothing; edges may be smooth
PLANES = {
    3: "its three channel planes were taken as red, green and blue",
    4: "its four channel planes were taken as red, green, blue and transparency",
}


class Tiff:
    """The full-resolution level of a TIFF's largest image in 8-bit RGB, interleaved or in planes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with explained(path):
            file = tifffile.TiffFile(path)
            self._finalizer = weakref.finalize(self, file.close)  # also where the file turns out not to fit
            self._image = find_image(path, file)
            _refuse_truncated(path, file, self._image)
            self._bands = _bands(file, self._image)
        self.width, self.height = self._image.size
        self.notes = tuple(_notes(self._image, self._bands.band_rows))
        if self._image.alpha == "unsaid":
            self._refuse_a_fourth_stain()

    def close(self) -> None:
        """Close the file."""
        self._finalizer()

    def rows(self, top: int, bottom: int) -> UInt8Array:
        """Return rows as RGB over white glass."""
        pixels = self._channels(top, bottom)
        if self._image.alpha == "none":
            return pixels
        return premultiplied_over_white(pixels) if self._image.alpha == "premultiplied" else over_glass(pixels)

    def _channels(self, top: int, bottom: int) -> UInt8Array:
        with explained(self._path):
            return self._bands.rows(top, bottom)

    def _refuse_a_fourth_stain(self) -> None:
        """Four channels of which nothing is said may be those of a fluorescence image."""
        sampled = np.unique(np.linspace(0, self.height - 1, SAMPLES).astype(int))
        fourth = np.stack([self._channels(row, row + 1)[0, :, 3] for row in sampled])
        if np.isin(fourth, (0, 255)).mean() < CLEAR:
            raise ImageError(
                f"{self._path} holds 4 channels, the last of which is no transparency; 8-bit RGB was wanted",
                hint=EXPORT,
            )


def tiff_size(path: Path) -> tuple[int, int]:
    """Return width and height from the file's tags."""
    with explained(path), tifffile.TiffFile(path) as file:
        return find_image(path, file).size


def _bands(file: tifffile.TiffFile, image: TiffImage) -> Bands:
    """Return how an image's rows are read: straight from the file where they lie there as they are."""
    level, height = image.level, image.size[1]
    if level.dataoffset is not None:
        stored = file.filehandle.memmap_array(np.uint8, level.shape, level.dataoffset)
        pixels = stored if level.axes.endswith("S") else np.moveaxis(stored, 0, -1)
        return Bands(height, 1, lambda top, bottom: np.array(pixels[top:bottom]))
    pages = [Segments(page) for page in level.pages]
    return Bands(height, pages[0].rows, lambda top, bottom: _interleaved([p.decode(top, bottom) for p in pages]))


def _interleaved(pages: list[UInt8Array]) -> UInt8Array:
    """Return pages, each planes x height x width x samples, as height x width x channels."""
    if len(pages) == len(pages[0]) == 1:
        return np.asarray(pages[0][0])
    return np.concatenate([plane for page in pages for plane in page], axis=-1)


def _notes(image: TiffImage, band_rows: int) -> Iterator[str]:
    width, height = image.size
    if image.number:
        yield f"the largest of the file's images was read, number {image.number + 1}, {width} x {height} px"
    if image.is_grey:
        yield PLANES[image.channels]
    if (size := band_rows * width * image.channels) > GIB:
        yield f"it is stored in pieces of {band_rows} rows, decoded whole ({size / GIB:.1f} GiB); tiles would need less"


def _refuse_truncated(path: Path, file: tifffile.TiffFile, image: TiffImage) -> None:
    """Strips and tiles beyond the end of the file would come out as glass."""
    for page in image.level.pages:
        ends = [offset + count for offset, count in zip(page.dataoffsets, page.databytecounts, strict=True)]
        if max(ends, default=0) > file.filehandle.size:
            raise ImageError(f"{path} is truncated: some of its pixels are missing", hint="copy or export it again")
