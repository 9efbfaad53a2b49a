"""The slide of a section that Space Ranger placed on its image: that image, or the small picture the run made of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spacrd_core.errors import ImageError
from spacrd_core.images.raster import open_raster
from spacrd_readers.tenx.image_frame import PACKED, fits, scale_of
from spacrd_readers.tenx.pictures import DRAWN, find_originals

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from spacrd_core.section.section import Given, SlideFile
from spacrd_readers.tenx.image_frame import ImageFrame

Notes = tuple[str, ...]
PATCH_UM = 112.0  # what the usual encoders look at
COARSE_UM = 2.0  # a nucleus is then a few px wide
NO_IMAGE = "no image was found; --image FILE gives one"
INSTEAD = "--image FILE gives the full-resolution one"


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
        _require_photograph(given.image)
        scale, notes = (given.image_scale, ()) if given.image_scale else scale_of(given.image, frame)
        slide = frame.slide(given.image, scale)
        return slide, (*notes, *((_coarse(slide),) if slide.um_per_px > COARSE_UM else ()))
    found = find_originals(folders)
    fitting = [path for path in found if fits(path, frame)]
    if len(fitting) == 1:
        return frame.slide(fitting[0], 1.0), (f"{fitting[0]} was taken for the full-resolution image",)
    preview, notes = _preview(frame, given)
    return preview, (*_not_taken(found, fitting), *notes)


def _require_photograph(image: Path) -> None:
    """Refuse a picture of the run with marks all over it: an encoder would read those."""
    if DRAWN.search(image.name):
        raise ImageError(f"{image} is a picture that Space Ranger drew marks on, not the H&E itself", hint=INSTEAD)


def _not_taken(found: list[Path], fitting: list[Path]) -> Notes:
    names = ", ".join(path.name for path in (fitting or found)[:5])
    if fitting:
        return (f"{len(fitting)} files may be the full-resolution image ({names}): --image FILE chooses",)
    return (f"not of the size the positions are for, so not taken for their image: {names}",) if found else ()


def _preview(frame: ImageFrame, given: Given) -> tuple[SlideFile | None, Notes]:
    """Return the finest of the small pictures that shows anything and whose scale is known."""
    shown = [path for path in frame.previews.values() if path.suffix != PACKED]
    slides = frame.slides
    if given.image_scale:
        slides = [frame.slide(path, given.image_scale, preview=True) for path in shown[:1]]
    if shown and not slides:
        raise ImageError(
            f"the scale of {shown[0]} is not known: no scalefactors_json.json says it",
            hint="--image-scale X, image px per full-resolution px; --image FILE; or --no-image",
        )
    blank = [slide.path.name for slide in slides if _is_blank(slide.path)]
    slide = next((slide for slide in slides if slide.path.name not in blank), None)
    notes = (f"of one colour, so not taken for an image: {', '.join(blank)}",) if blank else ()
    if slide:
        return slide, (*notes, f"the full-resolution image was not given; {_coarse(slide)}; {INSTEAD}")
    packed = ", ".join(path.name for path in frame.previews.values() if path.suffix == PACKED)
    return None, (*notes, f"{NO_IMAGE} ({packed} would do when unpacked: gunzip)" if packed else NO_IMAGE)


def _is_blank(image: Path) -> bool:
    with open_raster(image) as raster:
        pixels = raster.rows(0, raster.height)
    return bool((pixels == pixels[0, 0]).all())


def _coarse(slide: SlideFile) -> str:
    return (
        f"{slide.path.name} has {slide.um_per_px:.3g} um/px, so a {PATCH_UM:.0f} um patch is "
        f"{PATCH_UM / slide.um_per_px:.0f} px wide"
    )
