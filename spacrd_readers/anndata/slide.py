"""The slide of a section in AnnData: the image the user gives, else a picture of the object."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

from spacrd_core.errors import GeometryError, ImageError, MissingFile
from spacrd_core.images.raster import image_size
from spacrd_core.section.section import SlideFile, Source
from spacrd_readers.anndata.picture import INSTEAD, Picture, find_picture, read_pixels

if TYPE_CHECKING:
    from pathlib import Path

    from spacrd_core.section.section import Given
    from spacrd_readers.anndata.file import AnnDataFile
    from spacrd_readers.anndata.select_section import Library

PATCH_UM = 112.0  # what the usual encoders look at
STRETCH = 0.01
SCALE = "--image-scale X, image px per full-resolution px"

Found = tuple[SlideFile | None, tuple[Source, ...], tuple[str, ...]]


def find_slide(file: AnnDataFile, library: Library, given: Given, *, wanted: str, um_per_px: float) -> Found:
    """Return the slide, its source and what the user should know; ``wanted`` names a picture ('': the finest).

    Raises
    ------
    InputError
        If the image is missing, cannot be used, or is not the one the positions are for.
    """
    if not given.with_image:
        return None, (), ()
    picture = find_picture(file, library, wanted)
    if given.image:
        scale, notes = (given.image_scale, ()) if given.image_scale else _scale_of(given.image, picture, file.path)
        return SlideFile(given.image, um_per_px / scale, scale), (Source.of("image", given.image),), notes
    if not picture:
        return None, (), ("no image was found; --image FILE gives one",)
    scale = given.image_scale or picture.scale
    if not scale:
        raise ImageError(
            f"{file.path} does not say the scale of its image '{picture.name}' (tissue_{picture.name}_scalef)",
            hint=f"{SCALE}; {INSTEAD}",
        )
    pixels = read_pixels(file, picture)
    slide = SlideFile(file.path, um_per_px / scale, scale, pixels, preview=True)
    source = Source("image", file.path, hashlib.sha256(f"{pixels.shape}".encode() + pixels.data).hexdigest())
    return slide, (source,), (_coarse(picture, slide) + _original(file, library),)


def _scale_of(image: Path, picture: Picture | None, path: Path) -> tuple[float, tuple[str, ...]]:
    """Return how many px of an image a full-resolution px is, by the small picture of it; 1 where there is none."""
    if not image.is_file():
        raise MissingFile(f"the image {image} does not exist", hint="check the path")
    size = np.array(image_size(image), dtype=float)
    if not picture or not picture.scale:
        return 1.0, ()
    full = np.array(picture.shape[1::-1]) / picture.scale
    if (np.abs(size - full) * picture.scale < 2).all():
        return 1.0, ()
    across, down = size / full
    if abs(across / down - 1) > STRETCH:
        raise GeometryError(
            f"{image} is {size[0]:.0f} x {size[1]:.0f} px, the positions of {path} are for an image of about "
            f"{full[0]:.0f} x {full[1]:.0f} px: these are not the same picture",
            hint=f"give the image the object was made with, or {SCALE}",
        )
    scale = float(size.max() / full.max())
    return scale, (f"{image.name} has {scale:.4f} of the resolution of the positions",)


def _coarse(picture: Picture, slide: SlideFile) -> str:
    return (
        f"the full-resolution image was not given; the object's {picture.name} image has {slide.um_per_px:.3g} um/px, "
        f"so a {PATCH_UM:.0f} um patch is {PATCH_UM / slide.um_per_px:.0f} px wide; --image FILE gives the "
        "full-resolution one"
    )


def _original(file: AnnDataFile, library: Library) -> str:
    place = f"{library.place}/metadata/source_image_path"
    return f" ({str(file.element(place))[:200]})" if file.has(place) else ""
