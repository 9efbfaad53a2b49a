"""The slide of a section that Space Ranger placed on its image: that image, or the small picture the run made of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spacrd_core.errors import ImageError
from spacrd_readers._tenx_image_frame import fits, scale_of
from spacrd_readers._tenx_pictures import find_originals

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from spacrd_core.section import Given, SlideFile
    from spacrd_readers._tenx_image_frame import ImageFrame

Notes = tuple[str, ...]
PATCH_UM = 112.0  # what the usual encoders look at
NO_IMAGE = "no image was found; --image FILE gives one"


def find_slide(frame: ImageFrame, folders: Iterable[Path], given: Given) -> tuple[SlideFile | None, Notes]:
    """Return the slide and what the user should know: the image the user gave, one in the folders, or a small picture.

    Raises
    ------
    InputError
        If the image is missing, or not the one the positions refer to.
    """
    if not given.with_image:
        return None, ()
    if given.image:
        scale, notes = (given.image_scale, ()) if given.image_scale else scale_of(given.image, frame)
        return frame.slide(given.image, scale), notes
    found = find_originals(folders)
    fitting = [path for path in found if fits(path, frame)]
    if len(fitting) == 1:
        return frame.slide(fitting[0], 1.0), (f"{fitting[0]} was taken for the full-resolution image",)
    slide, notes = _preview(frame, given)
    return slide, (*_not_taken(found, fitting), *notes)


def _not_taken(found: list[Path], fitting: list[Path]) -> Notes:
    names = ", ".join(path.name for path in (fitting or found)[:5])
    if fitting:
        return (f"{len(fitting)} files may be the full-resolution image ({names}): --image FILE chooses",)
    return (f"not of the size the positions are for, so not taken for their image: {names}",) if found else ()


def _preview(frame: ImageFrame, given: Given) -> tuple[SlideFile | None, Notes]:
    """Return the finest of the small pictures whose scale is known."""
    packed = {kind: path for kind, path in frame.previews.items() if path.name.endswith(".gz")}
    usable = {kind: path for kind, path in frame.previews.items() if kind not in packed}
    for kind, path in usable.items():
        if scale := given.image_scale or getattr(frame.factors, kind):
            slide = frame.slide(path, scale)
            return slide, (_coarse(slide),)
    if usable:
        raise ImageError(
            f"the scale of {next(iter(usable.values()))} is not known: no scalefactors_json.json says it",
            hint="--image-scale X, image px per full-resolution px; --image FILE; or --no-image",
        )
    names = ", ".join(path.name for path in packed.values())
    return None, (NO_IMAGE + (f" ({names}: packed; unpack with gunzip)" if packed else ""),)


def _coarse(slide: SlideFile) -> str:
    return (
        f"the full-resolution image was not given; {slide.path.name} has {slide.um_per_px:.3g} um/px, so a "
        f"{PATCH_UM:.0f} um patch is {PATCH_UM / slide.um_per_px:.0f} px wide; "
        "--image FILE gives the full-resolution one"
    )
