"""The slide of a Visium HD section: the image the run was given, or the small picture it made of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spacrd_readers.tenx.image_frame import ImageFrame, fits
from spacrd_readers.tenx.images import find_slide
from spacrd_readers.tenx.scalefactors import Scalefactors

if TYPE_CHECKING:
    from pathlib import Path

    from spacrd_core.section.section import Given, SlideFile
    from spacrd_readers.visium_hd.bundle import Bundle
    from spacrd_readers.visium_hd.counts import Counted

MICROSCOPE = "microscope_image"


def find_hd_slide(counted: Counted, bundle: Bundle, given: Given) -> tuple[SlideFile | None, tuple[str, ...]]:
    """Return the slide of some spots, and what the user should know.

    Raises
    ------
    InputError
        If the image is missing, or not the one the positions refer to.
    """
    frame = _frame(counted, bundle)
    photo = _photograph(frame, bundle) if given.with_image and not given.image else None
    if photo is None:
        return find_slide(frame, bundle.homes, given)
    return frame.slide(photo, 1.0), (f"{photo} was taken for the full-resolution image",)


def _frame(counted: Counted, bundle: Bundle) -> ImageFrame:
    px = counted.counts.obs[["x_px", "y_px"]].to_numpy()
    frames = [ImageFrame(px, counted.um_per_px, s.factors, s.path.parent, s.prefix) for s in counted.spatial]
    bare = ImageFrame(px, counted.um_per_px, Scalefactors(), bundle.root / "spatial")
    return next((frame for frame in frames if frame.previews), frames[0] if frames else bare)


def _photograph(frame: ImageFrame, bundle: Bundle) -> Path | None:
    """Return the one image of ``microscope_image`` that can be the run's, whatever it is called."""
    files = [path for home in bundle.homes for path in sorted((home / MICROSCOPE).glob("[!.]*")) if path.is_file()]
    fitting = [path for path in files if fits(path, frame)]
    return fitting[0] if len(fitting) == 1 else None
