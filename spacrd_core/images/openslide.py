"""Slides in scanner formats, read by openslide: an optional dependency, imported when such a slide is opened."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from spacrd_core.errors import ImageError
from spacrd_core.images.background import flatten_alpha
from spacrd_core.images.errors import translate_errors
from spacrd_core.images.jpeg import Jpeg
from spacrd_core.images.rows import BandDecoder
from spacrd_core.threads import parallel_map

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from spacrd_core.arrays import UInt8Array

MAYBE_LOSSLESS = {"zeiss", "dicom"}
STRIPE_PX = 4096  # width of the stripes that are read in parallel
INSTALL_HINT = "pip install 'spacrd[wsi]'"
INCOMPLETE_HINT = "keep it together with all the files that its scanner wrote beside it"


class OpenSlideImage:
    """The whole full-resolution frame of a scanner's slide; unscanned parts have the background colour.

    The frame is not cropped to the scanned part, because positions refer to the whole frame. Openslide does not tell
    how it was compressed; most scanners' own formats hold JPEG, of CZI and DICOM it is not known.
    """

    notes: tuple[str, ...] = ()

    def __init__(self, path: Path) -> None:
        self._path = path
        self._slide = _open(path)
        self.width, self.height = self._slide.dimensions
        self.jpeg = None if self._slide.properties.get("openslide.vendor") in MAYBE_LOSSLESS else Jpeg()
        self._background = _background_colour(self._slide.properties)
        tile_rows = int(self._slide.properties.get("openslide.level[0].tile-height", 1))
        self._decoder = BandDecoder(self.height, tile_rows, self._decode)

    def close(self) -> None:
        """Close the file."""
        self._slide.close()

    def rows(self, top: int, bottom: int) -> UInt8Array:
        """Return the rows ``top`` to ``bottom`` as RGB over the background colour."""
        return self._decoder.rows(top, bottom)

    def _decode(self, top: int, bottom: int) -> UInt8Array:
        pixels = np.empty((bottom - top, self.width, 3), dtype=np.uint8)

        def fill(left: int) -> None:
            right = min(left + STRIPE_PX, self.width)
            region = self._slide.read_region((left, top), 0, (right - left, bottom - top))
            pixels[:, left:right] = flatten_alpha(np.asarray(region), colour=self._background)

        with _openslide(self._path):
            parallel_map(fill, range(0, self.width, STRIPE_PX))
        return pixels


def openslide_size(path: Path) -> tuple[int, int]:
    """Return width and height from the file's headers."""
    with _open(path) as slide:
        width, height = slide.dimensions
        return int(width), int(height)


def openslide_properties(path: Path) -> dict[str, str]:
    """Return the slide's openslide properties."""
    with _open(path) as slide:
        return dict(slide.properties)


def _open(path: Path) -> Any:
    with _openslide(path) as library:
        return library.OpenSlide(path)


def _background_colour(properties: Mapping[str, str]) -> tuple[int, int, int]:
    """Return the scanner's background colour; white if there is none."""
    red, green, blue = bytes.fromhex(properties.get("openslide.background-color", "FFFFFF"))
    return red, green, blue


@contextmanager
def _openslide(path: Path) -> Iterator[Any]:
    """Import openslide and translate its errors into errors that name the file."""
    try:
        import openslide  # noqa: PLC0415 - an optional dependency
    except ModuleNotFoundError as error:
        raise ImageError(f"{path} is in a scanner's own format, which needs openslide", hint=INSTALL_HINT) from error
    try:
        with translate_errors(path):
            yield openslide
    except openslide.OpenSlideUnsupportedFormatError as error:
        raise ImageError(f"openslide cannot read {path}", hint=INCOMPLETE_HINT) from error
    except openslide.OpenSlideError as error:
        raise ImageError(f"{path} is damaged: {error}", hint="copy or export it again") from error
