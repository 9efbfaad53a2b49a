"""Find the slide of a Visium HD section: the run's input image, or a preview that the run made of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spacrd_readers.tenx.fluorescence import refuse_fluorescence_run
from spacrd_readers.tenx.image_frame import ImageFrame, matches_frame
from spacrd_readers.tenx.images import find_slide
from spacrd_readers.tenx.scalefactors import Scalefactors

if TYPE_CHECKING:
    from pathlib import Path

    from spacrd_core.section.section import ImageInputs, SlideFile
    from spacrd_readers.visium_hd.bundle import Bundle
    from spacrd_readers.visium_hd.counts import SpotCounts

MICROSCOPE_FOLDER = "microscope_image"


def find_hd_slide(counted: SpotCounts, bundle: Bundle, inputs: ImageInputs) -> tuple[SlideFile | None, tuple[str, ...]]:
    """Return the slide of a section, and notes.

    Raises
    ------
    InputError
        If the image is missing, or is not the one that the positions refer to.
    """
    frame = _frame(counted, bundle)
    image = _microscope_image(frame, bundle) if inputs.with_image and not inputs.image else None
    if image is None:
        return find_slide(frame, bundle.shared_folders, inputs)
    refuse_fluorescence_run(frame.spatial, frame.prefix)
    return frame.slide(image, 1.0), (f"{image} was used as the full-resolution image",)


def _frame(counted: SpotCounts, bundle: Bundle) -> ImageFrame:
    """Return the frame with the previews of the bins or cells, or those of the whole run, to which they link."""
    px = counted.counts.obs[["x_px", "y_px"]].to_numpy()
    frames = [ImageFrame(px, counted.um_per_px, s.factors, s.path.parent, s.prefix) for s in counted.spatial]
    factors = counted.spatial[0].factors if counted.spatial else Scalefactors()
    shared = [ImageFrame(px, counted.um_per_px, factors, home / "spatial") for home in bundle.shared_folders]
    return next((frame for frame in (*frames, *shared) if frame.previews), (*frames, *shared)[0])


def _microscope_image(frame: ImageFrame, bundle: Bundle) -> Path | None:
    """Return the one image of ``microscope_image`` that can be the run's, whatever it is called."""
    files = [
        path
        for home in bundle.shared_folders
        for path in sorted((home / MICROSCOPE_FOLDER).glob("[!.]*"))
        if path.is_file()
    ]
    fitting = [path for path in files if matches_frame(path, frame)]
    return fitting[0] if len(fitting) == 1 else None
