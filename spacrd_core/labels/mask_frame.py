"""Find the frame of a label mask: that of the slide or of full resolution, or a whole fraction of one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from spacrd_core.errors import LabelError
from spacrd_core.images.raster import image_size

if TYPE_CHECKING:
    from spacrd_core.labels.mask import Mask
    from spacrd_core.section.section import Section

SIZE_HINT = "export the mask at the size of the slide, or at a half, a quarter or another whole fraction of it"
ROUNDING_PX = 1.0  # programs round the size of a smaller image up or down


@dataclass(frozen=True)
class Frame:
    """A frame that a mask may have: its size in px, how exactly that is known, and its px per full-resolution px."""

    name: str
    width: float
    height: float
    scale: float
    uncertainty: float = 0.0

    def fraction(self, width: int, height: int) -> int:
        """Return the whole number that this frame is larger than a mask; 0 if there is none."""
        fraction = max(round(self.width / width), 1)
        tolerance = ROUNDING_PX + self.uncertainty / fraction
        differences = (self.width / fraction - width, self.height / fraction - height)
        return fraction if max(map(abs, differences)) <= tolerance else 0


def place_mask(section: Section, mask: Mask) -> tuple[float, str]:
    """Return the mask's px per full-resolution px, and a note on the frame it was read in.

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
    slide_width, slide_height = image_size(slide)
    full = (slide_width / slide.scale, slide_height / slide.scale)
    frames = [
        Frame(slide.path.name, slide_width, slide_height, slide.scale),
        Frame("the full-resolution image", *full, 1.0, uncertainty=1 / slide.scale),
    ]
    for frame in frames:
        if fraction := frame.fraction(width, height):
            part = "the px" if fraction == 1 else f"1/{fraction} of the px"
            return frame.scale / fraction, f"{mask.path.name}: a mask in {part} of {frame.name}"
    raise LabelError(
        f"the mask {mask.path} is {width} x {height} px, the slide {slide.path} {slide_width} x {slide_height} px: "
        "it has neither the slide's size nor a whole fraction of it",
        hint=SIZE_HINT,
    )
