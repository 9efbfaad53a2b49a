"""The full-resolution frame in which Space Ranger gives positions, and how other images relate to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from spacrd_core.errors import GeometryError, ImageError, MissingFile
from spacrd_core.images.orientation import refuse_exchanged_sides
from spacrd_core.images.raster import image_size
from spacrd_core.section.section import SlideFile
from spacrd_readers._base import MAX_ASPECT_DEVIATION
from spacrd_readers.tenx.pictures import broken_previews, find_previews

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from spacrd_readers.tenx.scalefactors import Scalefactors

Notes = tuple[str, ...]
MAX_OUTSIDE = 0.1  # share of spots outside the image
GZIP_SUFFIX = ".gz"
IMAGE_HINT = "give Space Ranger's input image, or --image-scale X, image px per full-resolution px"


@dataclass(frozen=True, eq=False)
class ImageFrame:
    """The full-resolution frame of a section.

    Attributes
    ----------
    px
        Positions of its spots, n x 2.
    spatial, prefix
        The folder of the previews, and the prefix of their names.
    """

    px: NDArray[np.float64]
    um_per_px: float
    factors: Scalefactors
    spatial: Path
    prefix: str = ""

    @property
    def previews(self) -> dict[str, Path]:
        """The previews that can be read, or are gzipped, by kind."""
        previews = find_previews(self.spatial, self.prefix)
        return {kind: path for kind, path in previews.items() if path.suffix == GZIP_SUFFIX or not _unreadable(path)}

    @property
    def unreadable(self) -> list[str]:
        """A sentence for each preview that cannot be read."""
        previews = find_previews(self.spatial, self.prefix).values()
        reasons = [reason for path in previews if path.suffix != GZIP_SUFFIX and (reason := _unreadable(path))]
        return [*broken_previews(self.spatial, self.prefix), *reasons]

    @property
    def slides(self) -> list[SlideFile]:
        """The uncompressed previews of known scale, the finer first."""
        scales = {path: getattr(self.factors, kind) for kind, path in self.previews.items()}
        return [
            self.slide(path, scale, preview=True)
            for path, scale in scales.items()
            if scale and path.suffix != GZIP_SUFFIX
        ]

    @property
    def size(self) -> tuple[NDArray[np.float64], float] | None:
        """Width and height of the full-resolution image, and their tolerance in px; None without a preview."""
        if not self.slides:
            return None
        preview = self.slides[0]
        return np.array(image_size(preview)) / preview.scale, 1 / preview.scale + 1

    def share_outside(self, size: NDArray[np.float64], scale: float = 1.0) -> float:
        """Return the share of the spots outside an image of a size."""
        points = self.px * scale
        return float(((points < 0) | (points > size)).any(axis=1).mean())

    def slide(self, image: Path, scale: float, *, preview: bool = False) -> SlideFile:
        """Return an image as the section's slide, with the previews as the pictures it is checked against."""
        pictures = () if preview else tuple(self.slides)
        return SlideFile(image, self.um_per_px / scale, scale, preview=preview, pictures=pictures)


def _unreadable(image: Path) -> str:
    """Return why an image cannot be opened; '' if it can."""
    try:
        image_size(image)
    except ImageError as error:
        return str(error)
    return ""


def image_scale(image: Path, frame: ImageFrame) -> tuple[float, Notes]:
    """Return image px per full-resolution px, and notes.

    Raises
    ------
    InputError
        If the image is missing, or is not the one that the positions refer to.
    """
    if not image.is_file():
        raise MissingFile(f"the image {image} does not exist", hint="check the path")
    size = np.array(image_size(image), dtype=float)
    if not frame.size:
        return _by_spots(image, size, frame)
    refuse_exchanged_sides(frame.slide(image, 1.0))
    return _by_size(image, size, *frame.size)


def matches_frame(image: Path, frame: ImageFrame) -> bool:
    """Return whether a file can be the image that the positions refer to."""
    try:
        size = np.array(image_size(image), dtype=float)
    except ImageError:
        return False
    expected = frame.size
    return frame.share_outside(size) == 0 and (
        expected is None or bool((np.abs(size - expected[0]) <= expected[1]).all())
    )


def _by_size(image: Path, size: NDArray[np.float64], full: NDArray[np.float64], margin: float) -> tuple[float, Notes]:
    if (np.abs(size - full) <= margin).all():
        return 1.0, ()
    across, down = size / full
    if abs(across / down - 1) > MAX_ASPECT_DEVIATION or "cytassist" in image.name.casefold():
        raise GeometryError(
            f"{image} is {_dimensions(size)} px, but the positions are for an image of about {_dimensions(full)} px: "
            "these are different images",
            hint=IMAGE_HINT,
        )
    scale = float(size.max() / full.max())
    return scale, (f"{image.name} has {scale:.4f} times the resolution of the positions",)


def _by_spots(image: Path, size: NDArray[np.float64], frame: ImageFrame) -> tuple[float, Notes]:
    if frame.share_outside(size) <= MAX_OUTSIDE:
        return 1.0, ()
    for kind in ("hires", "lowres"):
        factor = getattr(frame.factors, kind)
        if factor and frame.share_outside(size, factor) == 0:
            note = f"{image.name} was assumed to have the scale of the {kind} image, with which all spots are on it"
            return factor, (note,)
    (left, top), (right, bottom) = frame.px.min(axis=0), frame.px.max(axis=0)
    raise GeometryError(
        f"{frame.share_outside(size):.0%} of the spots are outside the image {image} ({_dimensions(size)} px): "
        f"they span x {left:.0f} to {right:.0f}, y {top:.0f} to {bottom:.0f}",
        hint=IMAGE_HINT,
    )


def _dimensions(size: NDArray[np.float64]) -> str:
    return f"{size[0]:.0f} x {size[1]:.0f}"
