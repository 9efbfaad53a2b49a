"""Find the frame of a label mask: that of the slide, of its scanned part or of full resolution, or a whole fraction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from spacrd_core.errors import LabelError
from spacrd_core.images.bounds import viewer_bounds
from spacrd_core.images.raster import image_size

if TYPE_CHECKING:
    from collections.abc import Iterator

    from spacrd_core.arrays import Array
    from spacrd_core.labels.mask import Mask
    from spacrd_core.section.section import Section, SlideFile

SIZE_HINT = "export the mask at the size of the slide, or at a half, a quarter or another whole fraction of it"
ROUNDING_PX = 1.0  # programs round the size of a smaller image up or down


@dataclass(frozen=True)
class Frame:
    """A frame that a mask may have.

    Attributes
    ----------
    width, height
        Its size in px; ``uncertainty`` is how exactly that is known.
    scale
        Its px per full-resolution px.
    corner
        Its top left corner, in px of the whole slide.
    """

    name: str
    width: float
    height: float
    scale: float
    corner: tuple[float, float] = (0.0, 0.0)
    uncertainty: float = 0.0

    def fraction(self, width: int, height: int) -> int:
        """Return the whole number that this frame is larger than a mask; 0 if there is none."""
        fraction = max(round(self.width / width), 1)
        tolerance = ROUNDING_PX + self.uncertainty / fraction
        differences = (self.width / fraction - width, self.height / fraction - height)
        return fraction if max(map(abs, differences)) <= tolerance else 0


@dataclass(frozen=True)
class Placement:
    """Where a mask lies on its slide: the frame, the whole number that it is larger than the mask, and a note."""

    frame: Frame
    fraction: int
    note: str

    def in_mask(self, full_px: Array) -> Array:
        """Return points in full-resolution px as points in px of the mask."""
        placed: Array = (full_px * self.frame.scale - np.array(self.frame.corner)) / self.fraction
        return placed


def place_mask(section: Section, mask: Mask) -> Placement:
    """Return where a mask lies on the section's slide.

    Raises
    ------
    LabelError
        If the section has no slide, or the mask neither its size nor a whole fraction of it.
    """
    slide = section.slide
    if slide is None:
        raise LabelError(
            f"the mask {mask.path} is placed by the size of the slide, but this section has none", hint="--image FILE"
        )
    height, width = mask.codes.shape
    for frame in _frames(slide):
        if fraction := frame.fraction(width, height):
            part = "the px" if fraction == 1 else f"1/{fraction} of the px"
            return Placement(frame, fraction, f"{mask.path.name}: a mask in {part} of {frame.name}")
    slide_width, slide_height = image_size(slide)
    raise LabelError(
        f"the mask {mask.path} is {width} x {height} px, the slide {slide.path} {slide_width} x {slide_height} px: "
        "it has neither the slide's size nor a whole fraction of it",
        hint=SIZE_HINT,
    )


def _frames(slide: SlideFile) -> Iterator[Frame]:
    """Yield the frames that a mask of a slide may have, the likelier first."""
    width, height = image_size(slide)
    yield Frame(slide.path.name, width, height, slide.scale)
    if bounds := viewer_bounds(slide):
        name = f"the scanned part of {slide.path.name}, which viewers show"
        yield Frame(name, bounds.width, bounds.height, slide.scale, (bounds.left, bounds.top))
    full = (width / slide.scale, height / slide.scale)
    yield Frame("the full-resolution image", *full, 1.0, uncertainty=1 / slide.scale)
