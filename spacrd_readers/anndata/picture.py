"""Choose among the images that squidpy stores in ``uns['spatial']``: only those that the positions refer to count.

Space Ranger's previews (``hires``, ``lowres``) and CELLxGENE's ``fullres`` show the same area, so their sizes agree by
their scales. Other tools add cropped images, which positions in the full-resolution frame do not fit.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from spacrd_core.errors import ConfigError, ImageError
from spacrd_core.quoting import MAX_MISTAKE, listed, shortened
from spacrd_readers.anndata.positions import POSITION_KEYS, display_key, positions_of_image

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from spacrd_readers.anndata.file import AnnDataFile
    from spacrd_readers.anndata.select_section import SelectedSection

FULL_RESOLUTION = {"fullres", "fulres"}  # CELLxGENE's and stLearn's names for the full-resolution image, of scale 1
WHOLE_IMAGES = FULL_RESOLUTION | {"hires", "lowres"}  # names of images that show the whole frame
MAX_OUTSIDE = 0.1  # share of spots outside the image
SCALE_TOLERANCE = 0.01  # relative, for a scale that the user has rounded
SIZE_TOLERANCE_PX = 2.0  # of the coarser image, for the rounding of both


@dataclass(frozen=True)
class Picture:
    """A stored image: its name, its key, its px per full-resolution px (0 if unknown) and its shape."""

    name: str
    key: str
    scale: float
    shape: tuple[int, ...]

    @property
    def full_size(self) -> NDArray[np.float64]:
        """Width and height of the full-resolution image, by this image's size and scale."""
        return np.array(self.shape[1::-1], dtype=np.float64) / self.scale

    def agrees_with(self, other: Picture) -> bool:
        """Return whether both show the same area, by their sizes and scales."""
        difference = np.abs(self.full_size - other.full_size)
        return bool((difference * min(self.scale, other.scale) <= SIZE_TOLERANCE_PX).all())

    def share_outside(self, xy_px: NDArray[np.float64]) -> float:
        """Return the share of spots outside the image."""
        return float(((xy_px < 0) | (xy_px > self.full_size)).any(axis=1).mean())


@dataclass(frozen=True)
class Pictures:
    """The stored images that positions refer to, the finest first, and why each of the others was left out."""

    usable: tuple[Picture, ...] = ()
    left_out: Mapping[str, str] = field(default_factory=dict)

    @property
    def finest(self) -> Picture | None:
        """The image of the highest resolution; None if there is none."""
        return next(iter(self.usable), None)

    @property
    def reasons(self) -> str:
        """Why images were left out, as text."""
        return listed(
            (f"'{shortened(name)}': {reason}" for name, reason in self.left_out.items()),
            separator="; ",
            length=MAX_MISTAKE,
        )


def stored_pictures(file: AnnDataFile, selected: SelectedSection) -> list[Picture]:
    """Return all images of a section."""
    names = file.names(f"{selected.key}/images") if selected.key else []
    return [_picture(file, selected, name) for name in names]


def named_picture(pictures: Sequence[Picture], name: str, file: AnnDataFile) -> Picture:
    """Return the image of a name.

    Raises
    ------
    ConfigError
        If there is none.
    """
    for picture in pictures:
        if picture.name == name:
            return picture
    names = listed(picture.name for picture in pictures) or "none"
    raise ConfigError(
        f"{file.path} has no image '{shortened(name)}'; its images: {names}", hint="use --set reader.image=NAME"
    )


def fitting_pictures(
    file: AnnDataFile, pictures: Sequence[Picture], xy_px: NDArray[np.float64], positions: str
) -> Pictures:
    """Return the images that positions (of the key ``positions``) refer to.

    Raises
    ------
    ImageError
        If the images show different areas, and nothing says which of them the positions are for.
    """
    left_out = {picture.name: _misfit(file, picture, xy_px, positions) for picture in pictures}
    fitting = [picture for picture in pictures if not left_out[picture.name]]
    usable = _same_area(fitting, file) if fitting else []
    for picture in fitting:
        if picture not in usable:
            left_out[picture.name] = (
                f"it shows another area than '{shortened(usable[0].name)}', by their sizes and scales"
            )
    return Pictures(tuple(usable), {name: reason for name, reason in left_out.items() if reason})


def picture_of_scale(pictures: Sequence[Picture], scale: float, file: AnnDataFile) -> Picture | None:
    """Return the image that a scale given by the user is for: the one of unknown scale, of this scale, or the only one.

    Raises
    ------
    ConfigError
        If the scale of several is unknown.
    """
    unknown = [picture for picture in pictures if not picture.scale]
    if len(unknown) > 1:
        names = listed(picture.name for picture in unknown)
        raise ConfigError(
            f"{file.path} has several images of unknown scale ({names}), and --image-scale is for one of them",
            hint=f"choose one: --set reader.image={unknown[0].name}",
        )
    same = [picture for picture in pictures if picture.scale and abs(scale / picture.scale - 1) <= SCALE_TOLERANCE]
    alone = pictures if len(pictures) == 1 else ()
    return next(iter((*unknown, *same, *alone)), None)


def _picture(file: AnnDataFile, selected: SelectedSection, name: str) -> Picture:
    key = f"{selected.key}/images/{name}"
    named_scale = 1.0 if name in FULL_RESOLUTION else 0.0
    scale = selected.factors.get(f"tissue_{name}_scalef", named_scale)
    return Picture(name, key, scale, tuple(getattr(file.node(key), "shape", ())))


def _misfit(file: AnnDataFile, picture: Picture, xy_px: NDArray[np.float64], positions: str) -> str:
    """Return why positions do not refer to an image; '' if they may."""
    own_positions = positions_of_image(file, picture.name)
    if own_positions and own_positions != positions:
        return f"its positions are {display_key(own_positions)}; --set reader.image={picture.name} uses both"
    if own_positions != positions and positions not in POSITION_KEYS:
        return f"its positions are not {display_key(positions)}"
    if len(picture.shape) < 2:
        return "it is not an image"
    if not picture.scale:
        return f"its scale is unknown (tissue_{picture.name}_scalef)"
    outside = picture.share_outside(xy_px)
    return f"{outside:.0%} of the spots are outside it" if outside > MAX_OUTSIDE else ""


def _same_area(pictures: Sequence[Picture], file: AnnDataFile) -> list[Picture]:
    """Return the images that show one area, the finest first: that of most of the usual images, or else of most."""
    whole = [picture for picture in pictures if picture.name in WHOLE_IMAGES] or pictures
    areas = [[picture for picture in pictures if picture.agrees_with(pivot)] for pivot in whole]
    ranks = [(sum(picture in whole for picture in area), len(area)) for area in areas]
    best = [area for area, rank in zip(areas, ranks, strict=True) if rank == max(ranks)]
    if any(area != best[0] for area in best):
        raise ImageError(
            f"the images of {file.path} show different areas by their sizes and scales: "
            + listed(map(_full_size_text, pictures)),
            hint="choose the one that the positions are for: --set reader.image=NAME --image-scale X; or --no-image",
        )
    return sorted(best[0], key=lambda picture: picture.scale, reverse=True)


def _full_size_text(picture: Picture) -> str:
    width, height = picture.full_size
    return f"'{shortened(picture.name)}' {width:.0f} x {height:.0f} full-resolution px"
