"""TIFF and OME-TIFF images, by tifffile: decoded band by band, never as a whole."""

from __future__ import annotations

import weakref
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import tifffile
import zarr

from spacrd_core.errors import ImageError
from spacrd_core.slide.reading import explained

if TYPE_CHECKING:
    from pathlib import Path

Array = np.ndarray[Any, np.dtype[np.uint8]]
BAND, GLASS = 256, 255
CHANNELS = {"YXS": -1, "SYX": 0, "CYX": 0}  # where red, green and blue stand in the axes that are read
REMEDY = "export it as 8-bit RGB, without an alpha channel"
PLANES = "its three channel planes were taken as red, green and blue"


class Tiff:
    """The full-resolution level of a TIFF with 8-bit RGB, interleaved or in planes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with explained(path):
            file = tifffile.TiffFile(path)
            self._finalizer = weakref.finalize(self, file.close)  # also where the file turns out not to fit
            level = _full_resolution(path, file)
            self._planar = level.axes != "YXS"
            self._pixels: Any = zarr.open_array(file.series[0].aszarr(level=0, fillvalue=GLASS), mode="r")
        shape, chunks = self._pixels.shape, self._pixels.chunks
        self.height, self.width = shape[1:] if self._planar else shape[:2]
        self.notes: tuple[str, ...] = (PLANES,) if level.axes == "CYX" else ()
        chunk_rows = chunks[1] if self._planar else chunks[0]
        self._band_rows = -(-BAND // chunk_rows) * chunk_rows
        self._band = lru_cache(maxsize=2)(self._decode)  # a file stored as one strip is decoded once, not once a call

    def close(self) -> None:
        """Close the file."""
        self._finalizer()

    def rows(self, top: int, bottom: int) -> Array:
        """Return rows, from whole bands of the file's own strips or tiles."""
        step = self._band_rows
        numbers = range(top // step, -(-bottom // step))
        parts = [self._band(n)[max(0, top - n * step) : bottom - n * step] for n in numbers]
        return np.concatenate(parts)

    def _decode(self, number: int) -> Array:
        rows = slice(number * self._band_rows, (number + 1) * self._band_rows)
        with explained(self._path):
            if self._planar:
                return np.moveaxis(np.asarray(self._pixels[:, rows]), 0, -1)
            return np.asarray(self._pixels[rows])


def tiff_size(path: Path) -> tuple[int, int]:
    """Return width and height from the file's tags."""
    with explained(path), tifffile.TiffFile(path) as file:
        page = file.series[0].levels[0].keyframe
        return int(page.imagewidth), int(page.imagelength)


def _full_resolution(path: Path, file: tifffile.TiffFile) -> Any:
    level = file.series[0].levels[0]
    channels = CHANNELS.get(level.axes)
    if level.dtype != np.uint8 or channels is None or level.shape[channels] != 3:
        raise ImageError(
            f"{path} holds {level.dtype} pixels of shape {level.shape} ({level.axes}), 8-bit RGB was wanted",
            hint=REMEDY,
        )
    if not _is_rgb(level.keyframe, planes=level.axes == "CYX"):
        colours = tifffile.PHOTOMETRIC(level.keyframe.photometric).name
        raise ImageError(f"{path} holds {colours} colours, RGB was wanted", hint=REMEDY)
    _refuse_truncated(path, file, level)
    return level


def _is_rgb(page: Any, *, planes: bool) -> bool:
    """Whether tifffile gives RGB: it leaves YCbCr as it is unless a JPEG codec turns it into RGB."""
    if page.photometric == tifffile.PHOTOMETRIC.YCBCR:
        return bool(page.compression == tifffile.COMPRESSION.JPEG)
    fitting = {tifffile.PHOTOMETRIC.RGB} | ({tifffile.PHOTOMETRIC.MINISBLACK} if planes else set())
    return page.photometric in fitting


def _refuse_truncated(path: Path, file: tifffile.TiffFile, level: Any) -> None:
    """Strips and tiles beyond the end of the file would come out as glass."""
    for page in level.pages:
        ends = [offset + count for offset, count in zip(page.dataoffsets, page.databytecounts, strict=True)]
        if max(ends, default=0) > file.filehandle.size:
            raise ImageError(f"{path} is truncated: some of its pixels are missing", hint="copy or export it again")
