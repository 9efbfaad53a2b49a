"""Slides in scanners' own formats, by openslide: an extra, imported when such a slide is met."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from spacrd_core.errors import ImageError
from spacrd_core.images.background import over_glass
from spacrd_core.images.errors import explained
from spacrd_core.images.rows import Bands
from spacrd_core.threads import spread

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from spacrd_core.arrays import UInt8Array

COLUMNS = 4096  # read side by side
HINT = "pip install 'spacrd[wsi]'"
MOVED = "give it with all the files its scanner wrote beside it"


class Vendor:
    """The whole full-resolution frame of a scanner's slide, with what it never scanned as glass.

    The frame is not cut to the scanned part: positions refer to the whole.
    """

    notes: tuple[str, ...] = ()

    def __init__(self, path: Path) -> None:
        self._path = path
        self._slide = _open(path)
        self.width, self.height = self._slide.dimensions
        self._glass = _background(self._slide.properties)
        tile_rows = int(self._slide.properties.get("openslide.level[0].tile-height", 1))
        self._bands = Bands(self.height, tile_rows, self._decode)

    def close(self) -> None:
        """Close the file."""
        self._slide.close()

    def rows(self, top: int, bottom: int) -> UInt8Array:
        """Return rows as RGB over the glass's own colour."""
        return self._bands.rows(top, bottom)

    def _decode(self, top: int, bottom: int) -> UInt8Array:
        pixels = np.empty((bottom - top, self.width, 3), dtype=np.uint8)

        def fill(left: int) -> None:
            right = min(left + COLUMNS, self.width)
            region = self._slide.read_region((left, top), 0, (right - left, bottom - top))
            pixels[:, left:right] = over_glass(np.asarray(region), colour=self._glass)

        with _openslide(self._path):
            spread(fill, range(0, self.width, COLUMNS))
        return pixels


def vendor_size(path: Path) -> tuple[int, int]:
    """Return width and height from the file's headers."""
    with _open(path) as slide:
        width, height = slide.dimensions
        return int(width), int(height)


def vendor_properties(path: Path) -> dict[str, str]:
    """Return what the scanner says of the slide, in openslide's words."""
    with _open(path) as slide:
        return dict(slide.properties)


def _open(path: Path) -> Any:
    with _openslide(path) as library:
        return library.OpenSlide(path)


def _background(properties: Mapping[str, str]) -> tuple[int, int, int]:
    """The colour the scanner gives to glass; white where it says none."""
    red, green, blue = bytes.fromhex(properties.get("openslide.background-color", "FFFFFF"))
    return red, green, blue


@contextmanager
def _openslide(path: Path) -> Iterator[Any]:
    """The library, in whose errors the file is named."""
    try:
        import openslide  # noqa: PLC0415 - an extra that most users do without
    except ModuleNotFoundError as error:
        raise ImageError(f"{path} is in a scanner's own format, and openslide is not installed", hint=HINT) from error
    try:
        with explained(path):
            yield openslide
    except openslide.OpenSlideUnsupportedFormatError as error:
        raise ImageError(f"{path} is no slide that openslide can read", hint=MOVED) from error
    except openslide.OpenSlideError as error:
        raise ImageError(f"{path} is damaged: {error}", hint="copy or export it again") from error
