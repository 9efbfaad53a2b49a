"""The px in which Space Ranger gives positions: those of one image, which other files show smaller, or not at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from spacrd_core.errors import GeometryError, ImageError, MissingFile
from spacrd_core.images.raster import image_size
from spacrd_core.section.section import SlideFile
from spacrd_readers.tenx.pictures import find_previews

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from spacrd_readers.tenx.scalefactors import Scalefactors

Notes = tuple[str, ...]
STRETCH = 0.01
FEW = 0.1
PACKED = ".gz"
HINT = "give the image that Space Ranger was given, or --image-scale X, image px per full-resolution px"


@dataclass(frozen=True, eq=False)
class ImageFrame:
    """The full-resolution px of a section.

    Attributes
    ----------
    px
        Where its spots lie, n x 2.
    spatial, prefix
        The folder of the small pictures, and what stands before their names.
    """

    px: NDArray[np.float64]
    um_per_px: float
    factors: Scalefactors
    spatial: Path
    prefix: str = ""

    @property
    def previews(self) -> dict[str, Path]:
        """The small pictures, by kind."""
        return find_previews(self.spatial, self.prefix)

    @property
    def slides(self) -> list[SlideFile]:
        """The small pictures that are unpacked and of known scale, the finer first."""
        scales = {path: getattr(self.factors, kind) for kind, path in self.previews.items()}
        return [
            self.slide(path, scale, preview=True) for path, scale in scales.items() if scale and path.suffix != PACKED
        ]

    @property
    def size(self) -> tuple[NDArray[np.float64], float] | None:
        """Width and height of the full-resolution image by its small picture, to within some px; None without one."""
        if not self.slides:
            return None
        preview = self.slides[0]
        return np.array(image_size(preview)) / preview.scale, 1 / preview.scale + 1

    def outside(self, size: NDArray[np.float64], scale: float = 1.0) -> float:
        """Return the share of the spots that lie outside an image of a size."""
        placed = self.px * scale
        return float(((placed < 0) | (placed > size)).any(axis=1).mean())

    def slide(self, image: Path, scale: float, *, preview: bool = False) -> SlideFile:
        """Return an image as the section's slide."""
        return SlideFile(image, self.um_per_px / scale, scale, preview=preview)


def scale_of(image: Path, frame: ImageFrame) -> tuple[float, Notes]:
    """Return how many px of an image a full-resolution px is, and what the user should know.

    Raises
    ------
    InputError
        If the image is missing, or not the one the positions refer to.
    """
    if not image.is_file():
        raise MissingFile(f"the image {image} does not exist", hint="check the path")
    size = np.array(image_size(image), dtype=float)
    return _by_size(image, size, *frame.size) if frame.size else _by_spots(image, size, frame)


def fits(image: Path, frame: ImageFrame) -> bool:
    """Whether a file of the folders can only be the image the positions refer to."""
    try:
        size = np.array(image_size(image), dtype=float)
    except ImageError:
        return False
    told = frame.size
    return frame.outside(size) == 0 and (told is None or bool((np.abs(size - told[0]) <= told[1]).all()))


def _by_size(image: Path, size: NDArray[np.float64], full: NDArray[np.float64], off: float) -> tuple[float, Notes]:
    if (np.abs(size - full) <= off).all():
        return 1.0, ()
    found = f"{image} is {_shown(size)} px, the positions are for an image of about {_shown(full)} px"
    across, down = size / full
    if abs(across / down - 1) > STRETCH or "cytassist" in image.name.casefold():
        raise GeometryError(f"{found}: these are not the same picture", hint=HINT)
    scale = float(size.max() / full.max())
    return scale, (f"{image.name} has {scale:.4f} of the resolution of the positions",)


def _by_spots(image: Path, size: NDArray[np.float64], frame: ImageFrame) -> tuple[float, Notes]:
    if frame.outside(size) <= FEW:
        return 1.0, ()
    for kind in ("hires", "lowres"):
        factor = getattr(frame.factors, kind)
        if factor and frame.outside(size, factor) == 0:
            return factor, (f"{image.name} was taken to have the scale of the {kind} image, on which all spots lie",)
    (left, top), (right, bottom) = frame.px.min(axis=0), frame.px.max(axis=0)
    raise GeometryError(
        f"{frame.outside(size):.0%} of the spots lie outside the image {image} ({_shown(size)} px): "
        f"they span x {left:.0f} to {right:.0f}, y {top:.0f} to {bottom:.0f}",
        hint=HINT,
    )


def _shown(size: NDArray[np.float64]) -> str:
    return f"{size[0]:.0f} x {size[1]:.0f}"
