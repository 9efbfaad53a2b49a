"""TIFF, BigTIFF, OME-TIFF and SVS images, read by tifffile in bands of rows, never as a whole."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING

import numpy as np
import tifffile

from spacrd_core.errors import ImageError
from spacrd_core.images.background import flatten_alpha, flatten_premultiplied_alpha
from spacrd_core.images.errors import translate_errors
from spacrd_core.images.expansion import require_photograph, require_slide
from spacrd_core.images.orientation_tag import AS_STORED, ORIENTATION_TAG, orientation_notes
from spacrd_core.images.rows import BandDecoder
from spacrd_core.images.tiff_jpeg import page_jpeg
from spacrd_core.images.tiff_segments import Segments
from spacrd_core.images.tiff_series import EXPORT_HINT, TiffSeries, find_slide_series

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from spacrd_core.arrays import UInt8Array

GIB = 2**30
SAMPLED_ROWS = 16
MIN_BINARY_SHARE = 0.9  # share of an alpha channel that is 0 or 255; edges may be smooth
PLANE_NOTES = {
    3: "its three channel planes were read as red, green and blue",
    4: "its four channel planes were read as red, green, blue and transparency",
}


class TiffImage:
    """The full-resolution level of a TIFF's largest image in 8-bit RGB, interleaved or in planes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with translate_errors(path):
            file = tifffile.TiffFile(path)
            self._finalizer = weakref.finalize(self, file.close)  # also if the file is refused below
            self._series = find_slide_series(path, file)
            _require_complete(path, file, self._series)
            require_slide(path, *self._series.size)
            self._decoder = _band_decoder(file, self._series)
        if self._decoder.band_rows * self._series.size[0] * 3 > GIB:
            require_photograph(path, self._series.size[0], self._decoder.band_rows)
        self.width, self.height = self._series.size
        with translate_errors(path):
            self.jpeg = page_jpeg(self._series.level.pages[0])
        self.notes = tuple(_notes(self._series, self._decoder.band_rows))
        if self._series.alpha == "unspecified":
            self._require_alpha_channel()

    def close(self) -> None:
        """Close the file."""
        self._finalizer()

    def rows(self, top: int, bottom: int) -> UInt8Array:
        """Return the rows ``top`` to ``bottom`` as RGB over white."""
        pixels = self._channels(top, bottom)
        if self._series.alpha == "none":
            return pixels
        return flatten_premultiplied_alpha(pixels) if self._series.alpha == "premultiplied" else flatten_alpha(pixels)

    def _channels(self, top: int, bottom: int) -> UInt8Array:
        with translate_errors(self._path):
            return self._decoder.rows(top, bottom)

    def _require_alpha_channel(self) -> None:
        """Refuse a fourth channel that is not transparency, as in a fluorescence image."""
        rows = np.unique(np.linspace(0, self.height - 1, SAMPLED_ROWS).astype(int))
        fourth = np.stack([self._channels(row, row + 1)[0, :, 3] for row in rows])
        if np.isin(fourth, (0, 255)).mean() < MIN_BINARY_SHARE:
            raise ImageError(
                f"{self._path} has 4 channels, and the fourth is not transparency; expected 8-bit RGB",
                hint=EXPORT_HINT,
            )


def tiff_size(path: Path) -> tuple[int, int]:
    """Return width and height from the file's tags."""
    with translate_errors(path), tifffile.TiffFile(path) as file:
        return find_slide_series(path, file).size


def _band_decoder(file: tifffile.TiffFile, series: TiffSeries) -> BandDecoder:
    """Return the decoder of an image; uncompressed contiguous rows are read directly from the file."""
    level, height = series.level, series.size[1]
    if level.dataoffset is not None:
        stored = file.filehandle.memmap_array(np.uint8, series.shape, level.dataoffset)
        pixels = stored if series.axes.endswith("S") else np.moveaxis(stored, 0, -1)
        return BandDecoder(height, 1, lambda top, bottom: np.array(pixels[top:bottom]))
    pages = [Segments(page) for page in level.pages]
    return BandDecoder(height, pages[0].rows, lambda top, bottom: _interleaved([p.decode(top, bottom) for p in pages]))


def _interleaved(pages: list[UInt8Array]) -> UInt8Array:
    """Return pages, each planes x height x width x samples, as height x width x channels."""
    if len(pages) == len(pages[0]) == 1:
        return np.asarray(pages[0][0])
    return np.concatenate([plane for page in pages for plane in page], axis=-1)


def _notes(series: TiffSeries, band_rows: int) -> Iterator[str]:
    width, height = series.size
    if series.number:
        yield f"the largest of the file's images was read: number {series.number + 1}, {width} x {height} px"
    if series.is_grey:
        yield PLANE_NOTES[series.channels]
    yield from orientation_notes(series.page.tags.valueof(ORIENTATION_TAG, default=AS_STORED))
    if (size := band_rows * width * series.channels) > GIB:
        yield f"it is stored in strips of {band_rows} rows, each decoded whole ({size / GIB:.1f} GiB); tiles need less"


def _require_complete(path: Path, file: tifffile.TiffFile, series: TiffSeries) -> None:
    """Refuse a truncated file; strips and tiles beyond its end would be read as white."""
    for page in series.level.pages:
        ends = [offset + count for offset, count in zip(page.dataoffsets, page.databytecounts, strict=True)]
        if max(ends, default=0) > file.filehandle.size:
            raise ImageError(f"{path} is truncated: some of its pixels are missing", hint="copy or export it again")
