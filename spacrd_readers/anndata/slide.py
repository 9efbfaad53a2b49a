"""Find the slide of a section in AnnData: the image that the user gives, else one stored in the file."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING

from spacrd_core.errors import ImageError
from spacrd_core.section.section import SlideFile, Source
from spacrd_readers._base import PATCH_UM
from spacrd_readers.anndata.given_image import IMAGE_SCALE_HINT, image_scale
from spacrd_readers.anndata.picture import (
    FULL_RESOLUTION,
    Pictures,
    fitting_pictures,
    named_picture,
    picture_of_scale,
    stored_pictures,
)
from spacrd_readers.anndata.pixels import IMAGE_HINT, read_pixels
from spacrd_readers.anndata.reference import reference_pictures, refuse_turned_sides

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from spacrd_core.section.section import ImageInputs
    from spacrd_readers.anndata.file import AnnDataFile
    from spacrd_readers.anndata.picture import Picture
    from spacrd_readers.anndata.select_section import SelectedSection
    from spacrd_readers.anndata.spots import Spots

SlideResult = tuple[SlideFile | None, tuple[Source, ...], tuple[str, ...]]


def find_slide(
    file: AnnDataFile,
    selected: SelectedSection,
    spots: Spots,
    inputs: ImageInputs,
    *,
    image_name: str,
    um_per_px: float,
) -> SlideResult:
    """Return the slide, its source and notes; ``image_name`` selects a stored image ('' for the finest that fits).

    Raises
    ------
    InputError
        If the image is missing, unusable, or not the one that the positions refer to.
    """
    if not inputs.with_image:
        return None, (), ()
    stored = stored_pictures(file, selected)
    if image_name:
        named_picture(stored, image_name, file)
    if inputs.image:
        reference = fitting_pictures(file, stored, spots.xy_px, spots.key).finest if stored else None
        references = reference_pictures(file, reference, um_per_px)
        refuse_turned_sides(inputs.image, references)
        scale, notes = (
            (inputs.image_scale, ()) if inputs.image_scale else _image_scale(file, stored, spots, inputs.image)
        )
        slide = SlideFile(inputs.image, um_per_px / scale, scale, pictures=references)
        return slide, (Source.from_path("image", inputs.image),), notes
    if not stored:
        return None, (), (f"no image was found{selected.missing_images}; give one with --image FILE",)
    picture, pictures = _choose(file, stored, spots, image_name=image_name, scale=inputs.image_scale)
    pixels = read_pixels(file, picture)
    slide = SlideFile(file.path, um_per_px / picture.scale, picture.scale, pixels, preview=picture.scale != 1)
    source = Source("image", file.path, hashlib.sha256(f"{pixels.shape}".encode() + pixels.data).hexdigest())
    notes = (_resolution_note(picture, slide) + _source_image_note(file, selected), *_left_out_note(pictures))
    return slide, (source,), notes


def _image_scale(
    file: AnnDataFile, stored: Sequence[Picture], spots: Spots, image: Path
) -> tuple[float, tuple[str, ...]]:
    """Return px of the user's image per full-resolution px, by comparison with the stored images."""
    return image_scale(image, fitting_pictures(file, stored, spots.xy_px, spots.key).finest, file.path)


def _choose(
    file: AnnDataFile, stored: Sequence[Picture], spots: Spots, *, image_name: str, scale: float | None
) -> tuple[Picture, Pictures]:
    """Return the stored image to use, with its scale, and the stored images that fit; a given scale is taken as is."""
    if image_name and scale:
        return replace(named_picture(stored, image_name, file), scale=scale), Pictures()
    if scale and (picture := picture_of_scale(stored, scale, file)):
        return replace(picture, scale=scale), Pictures()
    pictures = fitting_pictures(file, stored, spots.xy_px, spots.key)
    if image_name and image_name in pictures.left_out:
        raise ImageError(
            f"the positions of {file.path} do not fit its image '{image_name}': {pictures.left_out[image_name]}",
            hint=f"{IMAGE_SCALE_HINT}; or {IMAGE_HINT}",
        )
    if image_name:
        return named_picture(pictures.usable, image_name, file), Pictures()
    if not pictures.finest:
        raise ImageError(
            f"no image of {file.path} fits its positions: {pictures.reasons}",
            hint=f"{IMAGE_SCALE_HINT}; or {IMAGE_HINT}",
        )
    return replace(pictures.finest, scale=scale or pictures.finest.scale), pictures


def _resolution_note(picture: Picture, slide: SlideFile) -> str:
    if picture.name in FULL_RESOLUTION and picture.scale == 1:
        return f"the stored {picture.name} image was used as the full-resolution image"
    return (
        f"no full-resolution image was given; the stored {picture.name} image has {slide.um_per_px:.3g} um/px, "
        f"so a {PATCH_UM:.0f} um patch is {PATCH_UM / slide.um_per_px:.0f} px wide; give the full-resolution "
        "image with --image FILE"
    )


def _left_out_note(pictures: Pictures) -> tuple[str, ...]:
    return (f"stored images that were not used: {pictures.reasons}",) if pictures.left_out else ()


def _source_image_note(file: AnnDataFile, selected: SelectedSection) -> str:
    key = f"{selected.key}/metadata/source_image_path"
    return f" ({str(file.element(key))[:200]})" if file.has(key) else ""
