"""Which of a TIFF's images is the slide, and whether it can be shown as 8-bit RGB."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from tifffile import COMPRESSION, EXTRASAMPLE, PHOTOMETRIC, TIFF

from spacrd_core.errors import ImageError
from spacrd_core.images.jpeg2000 import JPEG2000

if TYPE_CHECKING:
    from pathlib import Path

    import tifffile

Alpha = Literal["none", "straight", "premultiplied", "unsaid"]
ALPHA: dict[int, Alpha] = {EXTRASAMPLE.ASSOCALPHA: "premultiplied", EXTRASAMPLE.UNASSALPHA: "straight"}
JPEG = {COMPRESSION.JPEG, COMPRESSION.ALT_JPEG, COMPRESSION.JPEG_LOSSY}
NAMES = {
    PHOTOMETRIC.SEPARATED: "CMYK",
    PHOTOMETRIC.PALETTE: "palette",
    PHOTOMETRIC.YCBCR: "YCbCr",
    PHOTOMETRIC.MINISWHITE: "inverted grey",
}
EXPORT = "export it as 8-bit RGB, for example with QuPath or Fiji"
STAIN = "give the H&E image: single stains cannot stand for it"


@dataclass(frozen=True)
class TiffImage:
    """One of a TIFF's images at full resolution, as tifffile describes it; ``number`` counts from 0."""

    level: Any
    number: int

    @property
    def page(self) -> Any:
        """The page that describes all of its pages."""
        return self.level.keyframe

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        return int(self.page.imagewidth), int(self.page.imagelength)

    @property
    def channels(self) -> int:
        """How many channels a px has, be they samples or pages; 0 where there are more axes than that."""
        axis = self.level.axes.replace("YX", "")
        return self.level.shape[self.level.axes.index(axis)] if axis in {"S", "C", "Q", "I"} else int(not axis)

    @property
    def is_grey(self) -> bool:
        """Whether each channel is grey for all that the file says."""
        return bool(self.page.photometric == PHOTOMETRIC.MINISBLACK)

    @property
    def alpha(self) -> Alpha:
        """How the fourth channel is to be taken."""
        extra = next(iter(self.page.extrasamples), -1)
        return ALPHA.get(extra, "unsaid") if self.channels == 4 else "none"

    @property
    def flaw(self) -> tuple[str, str] | None:
        """What it holds that cannot be shown as RGB, and the remedy."""
        return self._flaw_of_storage() or self._flaw_of_colours()

    def _flaw_of_storage(self) -> tuple[str, str] | None:
        if self.level.is_multifile or None in self.level.pages:
            return "planes in several files", EXPORT
        if self.page.compression not in TIFF.DECOMPRESSORS:
            return f"pixels in a compression that is not known ({int(self.page.compression)})", EXPORT
        if self.level.dtype != np.uint8:
            return _numbers(self.level.dtype), EXPORT
        return None if self.channels else (f"a stack of images ({self.level.axes} of shape {self.level.shape})", EXPORT)

    def _flaw_of_colours(self) -> tuple[str, str] | None:
        if self.is_grey and self.channels not in {3, 4}:
            return ("grey pixels" if self.channels < 3 else f"{self.channels} grey channels"), STAIN
        if not self.is_grey and not _is_rgb(self.page):
            photometric = PHOTOMETRIC(self.page.photometric)
            return f"{NAMES.get(photometric, photometric.name)} colours", EXPORT
        return None if self.channels in {3, 4} else (f"{self.channels} channels", EXPORT)


def find_image(path: Path, file: tifffile.TiffFile) -> TiffImage:
    """Return the largest image that can be shown as RGB: beside the slide may be its label, an overview, a thumbnail.

    Raises
    ------
    ImageError
        If there is none; the sentence is about the largest.
    """
    images = [TiffImage(series.levels[0], number) for number, series in enumerate(file.series)]
    able = [image for image in images if image.flaw is None]
    largest = max(able or images, key=lambda image: image.size[0] * image.size[1])
    if flaw := largest.flaw:
        raise ImageError(f"{path} holds {flaw[0]}, 8-bit RGB was wanted", hint=flaw[1])
    return largest


def _numbers(dtype: np.dtype[Any]) -> str:
    kind = {"u": "integers", "i": "integers", "f": "floating-point numbers"}.get(dtype.kind)
    return f"{8 * dtype.itemsize}-bit {kind}" if kind else f"{dtype} pixels"


def _is_rgb(page: Any) -> bool:
    """Whether decoding gives RGB: YCbCr becomes RGB in JPEG and JPEG 2000 alone."""
    if page.photometric == PHOTOMETRIC.YCBCR:
        return page.compression in JPEG | JPEG2000
    return bool(page.photometric == PHOTOMETRIC.RGB)
