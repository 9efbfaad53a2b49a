"""Find the slide of a Space Ranger section: the full-resolution image, or a preview that the run made of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spacrd_core.errors import ImageError
from spacrd_core.images.raster import open_raster
from spacrd_core.quoting import listed
from spacrd_readers._base import PATCH_UM
from spacrd_readers.tenx.fluorescence import refuse_fluorescence_run
from spacrd_readers.tenx.image_frame import GZIP_SUFFIX, ImageFrame, image_scale, matches_frame
from spacrd_readers.tenx.pictures import ANNOTATED_NAME, find_originals

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from spacrd_core.section.section import ImageInputs, SlideFile

Notes = tuple[str, ...]
COARSE_UM_PER_PX = 2.0  # a nucleus is only a few px wide
NO_IMAGE = "no image was found; give one with --image FILE"
IMAGE_HINT = "give the full-resolution image with --image FILE"


def find_slide(frame: ImageFrame, folders: Iterable[Path], inputs: ImageInputs) -> tuple[SlideFile | None, Notes]:
    """Return the slide, which is the image that the user gave, one in the folders or a preview, and notes.

    Raises
    ------
    InputError
        If the image is missing, or is not the one that the positions refer to, or the run's images show fluorescence.
    """
    if not inputs.with_image:
        return None, ()
    if inputs.image:
        _require_photograph(inputs.image)
        scale, notes = (inputs.image_scale, ()) if inputs.image_scale else image_scale(inputs.image, frame)
        slide = frame.slide(inputs.image, scale)
        coarse = (_resolution_note(slide),) if slide.um_per_px > COARSE_UM_PER_PX else ()
        return slide, (*_unreadable_notes(frame), *notes, *coarse)
    refuse_fluorescence_run(frame.spatial, frame.prefix)
    candidates = find_originals(folders)
    fitting = [path for path in candidates if matches_frame(path, frame)]
    if len(fitting) == 1:
        return frame.slide(fitting[0], 1.0), (f"{fitting[0]} was used as the full-resolution image",)
    preview, notes = _preview(frame, inputs)
    return preview, (*_unreadable_notes(frame), *_candidates_note(candidates, fitting), *notes)


def _unreadable_notes(frame: ImageFrame) -> Notes:
    return tuple(f"a small image of the run was not used: {reason}" for reason in frame.unreadable)


def _require_photograph(image: Path) -> None:
    """Refuse a run's image with marks drawn on it: an encoder would embed them."""
    if ANNOTATED_NAME.search(image.name):
        raise ImageError(f"{image} has marks drawn by Space Ranger: it is not the H&E itself", hint=IMAGE_HINT)


def _candidates_note(candidates: list[Path], fitting: list[Path]) -> Notes:
    names = listed(path.name for path in (fitting or candidates)[:5])
    if fitting:
        return (f"{len(fitting)} files may be the full-resolution image ({names}): choose one with --image FILE",)
    return (f"images not used because their size does not match the positions: {names}",) if candidates else ()


def _preview(frame: ImageFrame, inputs: ImageInputs) -> tuple[SlideFile | None, Notes]:
    """Return the finest preview that is not blank and has a known scale."""
    previews = [path for path in frame.previews.values() if path.suffix != GZIP_SUFFIX]
    slides = frame.slides
    if inputs.image_scale:
        slides = [frame.slide(path, inputs.image_scale, preview=True) for path in previews[:1]]
    if previews and not slides:
        raise ImageError(
            f"the scale of {previews[0]} is unknown: no scalefactors_json.json gives it",
            hint="use --image-scale X (image px per full-resolution px), --image FILE or --no-image",
        )
    blank = [slide.path.name for slide in slides if _is_blank(slide.path)]
    slide = next((slide for slide in slides if slide.path.name not in blank), None)
    notes = (f"images not used because they are blank: {', '.join(blank)}",) if blank else ()
    if slide:
        return slide, (*notes, f"no full-resolution image was given; {_resolution_note(slide)}; {IMAGE_HINT}")
    compressed = ", ".join(path.name for path in frame.previews.values() if path.suffix == GZIP_SUFFIX)
    return None, (*notes, f"{NO_IMAGE} (or unpack {compressed} with gunzip)" if compressed else NO_IMAGE)


def _is_blank(image: Path) -> bool:
    with open_raster(image) as raster:
        pixels = raster.rows(0, raster.height)
    return bool((pixels == pixels[0, 0]).all())


def _resolution_note(slide: SlideFile) -> str:
    return (
        f"{slide.path.name} has {slide.um_per_px:.3g} um/px, so a {PATCH_UM:.0f} um patch is "
        f"{PATCH_UM / slide.um_per_px:.0f} px wide"
    )
