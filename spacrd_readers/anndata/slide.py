"""Find the slide of a section in AnnData: the image that the user gives, else one stored in the file."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

from spacrd_core.errors import GeometryError, ImageError, MissingFile
from spacrd_core.images.raster import image_size
from spacrd_core.section.section import SlideFile, Source
from spacrd_readers._base import MAX_ASPECT_DEVIATION, PATCH_UM
from spacrd_readers.anndata.picture import IMAGE_HINT, Picture, find_picture, read_pixels
from spacrd_readers.anndata.reference import reference_pictures, refuse_turned_sides

if TYPE_CHECKING:
    from pathlib import Path

    from spacrd_core.section.section import ImageInputs
    from spacrd_readers.anndata.file import AnnDataFile
    from spacrd_readers.anndata.select_section import SelectedSection

IMAGE_SCALE_HINT = "use --image-scale X, image px per full-resolution px"

SlideResult = tuple[SlideFile | None, tuple[Source, ...], tuple[str, ...]]


def find_slide(
    file: AnnDataFile, selected: SelectedSection, inputs: ImageInputs, *, image_name: str, um_per_px: float
) -> SlideResult:
    """Return the slide, its source and notes; ``image_name`` selects a stored image ('' for the finest).

    Raises
    ------
    InputError
        If the image is missing, unusable, or not the one that the positions refer to.
    """
    if not inputs.with_image:
        return None, (), ()
    picture = find_picture(file, selected, image_name)
    if inputs.image:
        pictures = reference_pictures(file, picture, um_per_px)
        refuse_turned_sides(inputs.image, pictures)
        scale, notes = (
            (inputs.image_scale, ()) if inputs.image_scale else _image_scale(inputs.image, picture, file.path)
        )
        slide = SlideFile(inputs.image, um_per_px / scale, scale, pictures=pictures)
        return slide, (Source.from_path("image", inputs.image),), notes
    if not picture:
        return None, (), ("no image was found; give one with --image FILE",)
    scale = inputs.image_scale or picture.scale
    if not scale:
        raise ImageError(
            f"{file.path} has no scale for its image '{picture.name}' (tissue_{picture.name}_scalef)",
            hint=f"{IMAGE_SCALE_HINT}; or {IMAGE_HINT}",
        )
    pixels = read_pixels(file, picture)
    slide = SlideFile(file.path, um_per_px / scale, scale, pixels, preview=True)
    source = Source("image", file.path, hashlib.sha256(f"{pixels.shape}".encode() + pixels.data).hexdigest())
    return slide, (source,), (_low_resolution_note(picture, slide) + _source_image_note(file, selected),)


def _image_scale(image: Path, picture: Picture | None, path: Path) -> tuple[float, tuple[str, ...]]:
    """Return image px per full-resolution px, by comparison with the stored image; 1 if there is none."""
    if not image.is_file():
        raise MissingFile(f"the image {image} does not exist", hint="check the path")
    size = np.array(image_size(image), dtype=float)
    if not picture or not picture.scale:
        return 1.0, ()
    full = np.array(picture.shape[1::-1]) / picture.scale
    if (np.abs(size - full) * picture.scale < 2).all():
        return 1.0, ()
    across, down = size / full
    if abs(across / down - 1) > MAX_ASPECT_DEVIATION:
        raise GeometryError(
            f"{image} is {size[0]:.0f} x {size[1]:.0f} px, but the positions of {path} are for an image of about "
            f"{full[0]:.0f} x {full[1]:.0f} px: these are different images",
            hint=f"give the image that the AnnData file was made with, or {IMAGE_SCALE_HINT}",
        )
    scale = float(size.max() / full.max())
    return scale, (f"{image.name} has {scale:.4f} times the resolution of the positions",)


def _low_resolution_note(picture: Picture, slide: SlideFile) -> str:
    return (
        f"no full-resolution image was given; the stored {picture.name} image has {slide.um_per_px:.3g} um/px, "
        f"so a {PATCH_UM:.0f} um patch is {PATCH_UM / slide.um_per_px:.0f} px wide; give the full-resolution "
        "image with --image FILE"
    )


def _source_image_note(file: AnnDataFile, selected: SelectedSection) -> str:
    key = f"{selected.key}/metadata/source_image_path"
    return f" ({str(file.element(key))[:200]})" if file.has(key) else ""
