"""Find the slide among the images of a TIFF, and check that it can be read as 8-bit RGB."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from tifffile import COMPRESSION, EXTRASAMPLE, PHOTOMETRIC, TIFF

from spacrd_core.errors import ImageError
from spacrd_core.images.channels import stain_names
from spacrd_core.images.jpeg2000 import JPEG2000

if TYPE_CHECKING:
    from pathlib import Path

    import tifffile

Alpha = Literal["none", "straight", "premultiplied", "unspecified"]
ALPHA: dict[int, Alpha] = {EXTRASAMPLE.ASSOCALPHA: "premultiplied", EXTRASAMPLE.UNASSALPHA: "straight"}
JPEG = {COMPRESSION.JPEG, COMPRESSION.ALT_JPEG, COMPRESSION.JPEG_LOSSY}
COLOUR_NAMES = {
    PHOTOMETRIC.SEPARATED: "CMYK",
    PHOTOMETRIC.PALETTE: "palette",
    PHOTOMETRIC.YCBCR: "YCbCr",
    PHOTOMETRIC.MINISWHITE: "inverted grey",
}
MAX_NAMES_SHOWN = 5
EXPORT_HINT = "export it as 8-bit RGB, for example with QuPath or Fiji"
STAIN_HINT = "give the H&E image with --image FILE; single stains cannot replace it; --no-image uses the genes alone"


@dataclass(frozen=True)
class TiffSeries:
    """One image of a TIFF at full resolution, as tifffile describes it.

    ``number`` counts from 0; ``stains`` are the names of its channels if they are single stains.
    """

    level: Any
    number: int
    stains: tuple[str, ...] = ()

    @property
    def page(self) -> Any:
        """The page whose tags describe all pages of the image."""
        return self.level.keyframe

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        return int(self.page.imagewidth), int(self.page.imagelength)

    @property
    def axes(self) -> str:
        """The axes of more than one element; one time, focus or channel adds none."""
        return str(self.level.get_axes(squeeze=True))

    @property
    def shape(self) -> tuple[int, ...]:
        """The length of each of the ``axes``."""
        return tuple(self.level.get_shape(squeeze=True))

    @property
    def channels(self) -> int:
        """Number of channels, stored as samples or as pages; 0 if the image has further axes."""
        axis = self.axes.replace("YX", "")
        return self.shape[self.axes.index(axis)] if axis in {"S", "C", "Q", "I"} else int(not axis)

    @property
    def is_grey(self) -> bool:
        """Whether the file describes the channels as grey."""
        return bool(self.page.photometric == PHOTOMETRIC.MINISBLACK)

    @property
    def alpha(self) -> Alpha:
        """The meaning of the fourth channel."""
        extra = next(iter(self.page.extrasamples), -1)
        return ALPHA.get(extra, "unspecified") if self.channels == 4 else "none"

    @property
    def problem(self) -> tuple[str, str] | None:
        """What prevents reading the image as RGB, and the remedy; None if nothing does."""
        return self._stain_problem() or self._storage_problem() or self._colour_problem()

    def _stain_problem(self) -> tuple[str, str] | None:
        if not self.stains:
            return None
        names = ", ".join(self.stains[:MAX_NAMES_SHOWN]) + (", ..." if len(self.stains) > MAX_NAMES_SHOWN else "")
        return f"channels named {names} (single stains, no H&E)", STAIN_HINT

    def _storage_problem(self) -> tuple[str, str] | None:
        if self.level.is_multifile or None in self.level.pages:
            return "planes in several files", EXPORT_HINT
        if self.page.compression not in TIFF.DECOMPRESSORS:
            return f"an unknown compression ({int(self.page.compression)})", EXPORT_HINT
        if self.level.dtype != np.uint8:
            return _dtype_name(self.level.dtype), STAIN_HINT if self._is_single_stain else EXPORT_HINT
        return None if self.channels else (f"a stack of images ({self.axes} of shape {self.shape})", EXPORT_HINT)

    @property
    def _is_single_stain(self) -> bool:
        """Whether it has integers of one channel, or of more than colours and transparency: fluorescence, usually."""
        return self.is_grey and self.level.dtype.kind == "u" and self.channels not in {0, 3, 4}

    def _colour_problem(self) -> tuple[str, str] | None:
        if self.is_grey and self.channels not in {3, 4}:
            return ("grey pixels" if self.channels < 3 else f"{self.channels} grey channels"), STAIN_HINT
        if not self.is_grey and not _is_rgb(self.page):
            photometric = PHOTOMETRIC(self.page.photometric)
            return f"{COLOUR_NAMES.get(photometric, photometric.name)} colours", EXPORT_HINT
        return None if self.channels in {3, 4} else (f"{self.channels} channels", EXPORT_HINT)


def find_slide_series(path: Path, file: tifffile.TiffFile) -> TiffSeries:
    """Return the largest image that can be read as RGB; others may be the label, an overview or a thumbnail.

    Raises
    ------
    ImageError
        If there is none; the message describes the largest image.
    """
    levels = [series.levels[0] for series in file.series]
    images = [TiffSeries(level, number, stain_names(file, level)) for number, level in enumerate(levels)]
    readable = [image for image in images if image.problem is None]
    largest = max(readable or images, key=lambda image: image.size[0] * image.size[1])
    if problem := largest.problem:
        raise ImageError(f"{path} has {problem[0]}, expected 8-bit RGB", hint=problem[1])
    return largest


def _dtype_name(dtype: np.dtype[Any]) -> str:
    kind = {"u": "integers", "i": "integers", "f": "floating-point numbers"}.get(dtype.kind)
    return f"{8 * dtype.itemsize}-bit {kind}" if kind else f"{dtype} pixels"


def _is_rgb(page: Any) -> bool:
    """Return whether decoding yields RGB; YCbCr is converted only in JPEG and JPEG 2000."""
    if page.photometric == PHOTOMETRIC.YCBCR:
        return page.compression in JPEG | JPEG2000
    return bool(page.photometric == PHOTOMETRIC.RGB)
