"""Find how an image is turned relative to a small picture of the same frame, by correlation over the eight turns.

Scanners, viewers and orientation tags turn and mirror slides; positions are of one orientation only. Of 121 slides that
lay right (eleven real pictures, as they are and with another stain, borders, pen, blur, shift, tilt or resolution) none
was refused, and of 77 turned ones with nothing else changed all were, with the right turn.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from spacrd_core.errors import GeometryError
from spacrd_core.images.raster import image_size
from spacrd_core.images.sample import CELLS, sample_image
from spacrd_core.images.stain import is_fluorescence

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from spacrd_core.arrays import Array
    from spacrd_core.images.sample import ImageSample
    from spacrd_core.section.section import SlideFile

AS_IT_IS = "as it is"
TURNS: dict[str, Callable[[Array], Array]] = {
    AS_IT_IS: lambda image: image,
    "turned by 180 degrees": lambda image: image[::-1, ::-1],
    "mirrored left to right": lambda image: image[:, ::-1],
    "mirrored top to bottom": lambda image: image[::-1],
    "turned by 90 degrees clockwise": lambda image: np.rot90(image, -1),
    "turned by 90 degrees counterclockwise": lambda image: np.rot90(image, 1),
    "mirrored along its main diagonal (x and y exchanged)": lambda image: image.T,
    "mirrored along its other diagonal": lambda image: image[::-1, ::-1].T,
}
KEEP_SIDES = 4  # the first turns; the others exchange width and height
MAX_ASPECT_DEVIATION = 0.02
MIN_CELLS, MIN_PX_PER_CELL = 16, 2
MIN_CORRELATION = 0.8  # of the turn that fits
MIN_RATIO = 3.0  # by which the image as it is lacks more of a full correlation than the turn that fits
MIN_GAIN = 0.05  # in correlation, by which another turn must fit better for a note
UNLIKE = 0.3  # below this correlation in every turn, the images are not of the same tissue


@dataclass(frozen=True)
class Orientation:
    """The turn in which an image fits a picture, and the correlations so and as it is (None if its sides differ)."""

    image: Path
    picture: str
    turn: str
    correlation: float
    as_it_is: float | None

    @property
    def is_turned(self) -> bool:
        """Whether the image evidently fits in another turn than as it is."""
        return (
            self.turn != AS_IT_IS
            and self.correlation >= MIN_CORRELATION
            and (self.as_it_is is None or 1 - self.as_it_is > MIN_RATIO * (1 - self.correlation))
        )

    @property
    def error(self) -> GeometryError:
        """The error for a turned image, which says what fits."""
        as_it_is = "" if self.as_it_is is None else f"; as it is: {self.as_it_is:.2f}"
        return GeometryError(
            f"{self.image} is turned or mirrored relative to {self.picture}, which the positions refer to: "
            f"{self.turn} it fits (correlation {self.correlation:.2f}{as_it_is})",
            hint=self.hint,
        )

    @property
    def hint(self) -> str:
        """What to do about a turned image."""
        return f"save the image {self.turn}, without an orientation tag, and give that copy with --image FILE"

    @property
    def note(self) -> str:
        """A note on what may be wrong; '' if nothing is."""
        name = self.image.name
        if self.correlation < UNLIKE:
            return (
                f"{name} does not resemble {self.picture} in any orientation (correlation {self.correlation:.2f}): "
                "is it the image of this section?"
            )
        if self.turn == AS_IT_IS or self.as_it_is is None or self.correlation < self.as_it_is + MIN_GAIN:
            return ""
        return (
            f"{name} fits {self.picture} better {self.turn} (correlation {self.correlation:.2f}; as it is: "
            f"{self.as_it_is:.2f}): is it turned?"
        )


def find_orientation(slide: SlideFile, sample: ImageSample) -> Orientation | None:
    """Return how a slide, of which a sample is given, is turned relative to the first of its pictures that can tell.

    None if there is none: they are blank, show fluorescence, or have the sides of different images.

    Raises
    ------
    ImageError
        If one of them cannot be read.
    """
    return next(filter(None, (_compare(slide, picture, sample) for picture in slide.pictures)), None)


def _compare(slide: SlideFile, picture: SlideFile, sample: ImageSample | None = None) -> Orientation | None:
    sizes = [np.array(image_size(image)) for image in (slide, picture)]
    turns = list(_possible_turns(sizes[0] / slide.scale, sizes[1] / picture.scale))
    cells = min(CELLS, int(np.min(sizes)) // MIN_PX_PER_CELL)
    if not turns or cells < MIN_CELLS:
        return None
    if sample is None or sample.colours.shape[:2] != (cells, cells):
        sample = sample_image(slide, cells)
    expected_sample = sample_image(picture, cells)
    if is_fluorescence(expected_sample):
        return None  # bright where an H&E is dark
    shown, expected = sample.brightness, expected_sample.brightness
    if not (np.ptp(shown) and np.ptp(expected)):
        return None
    scores = {turn: float(np.corrcoef(TURNS[turn](shown).ravel(), expected.ravel())[0, 1]) for turn in turns}
    best = max(scores, key=lambda turn: scores[turn])
    return Orientation(slide.path, picture.title, best, scores[best], scores.get(AS_IT_IS))


def _possible_turns(size: Array, frame: Array) -> Iterator[str]:
    """Yield the turns in which an image has the sides of the frame."""
    names = list(TURNS)
    if (np.abs(size / frame - 1) <= MAX_ASPECT_DEVIATION).all():
        yield from names[:KEEP_SIDES]
    if (np.abs(size[::-1] / frame - 1) <= MAX_ASPECT_DEVIATION).all():
        yield from names[KEEP_SIDES:]


def refuse_exchanged_sides(slide: SlideFile) -> None:
    """Refuse a slide with the sides of its pictures exchanged, if it fits them turned by 90 degrees.

    Raises
    ------
    GeometryError
        If it does; the message says which turn fits.
    """
    for picture in slide.pictures:
        size, frame = (np.array(image_size(image), dtype=float) for image in (slide, picture))
        (width, height), (across, down) = size / size[::-1], size[::-1] / frame
        oblong = abs(width / height - 1) > MAX_ASPECT_DEVIATION
        if oblong and abs(across / down - 1) <= MAX_ASPECT_DEVIATION:
            orientation = _compare(replace(slide, scale=float(across) * picture.scale), picture)
            if orientation and orientation.is_turned:
                full = frame / picture.scale
                raise GeometryError(
                    f"{slide.path} is {size[0]:.0f} x {size[1]:.0f} px, but the positions are for an image of about "
                    f"{full[0]:.0f} x {full[1]:.0f} px: {orientation.turn} it fits {orientation.picture} (correlation "
                    f"{orientation.correlation:.2f})",
                    hint=orientation.hint,
                )
